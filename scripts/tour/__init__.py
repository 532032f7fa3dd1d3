"""Regenerates the output and the screenshots in the documentation: ``python -m scripts.tour``."""
