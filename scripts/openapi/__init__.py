"""Generates ``rotation/web/openapi.json`` from the routes and the typed bodies."""
