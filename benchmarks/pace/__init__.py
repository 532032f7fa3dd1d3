"""The pace of a fleet in virtual time, under Azure's limits."""
