"""Mutation testing: changes the service a little, and looks for a test that fails."""
