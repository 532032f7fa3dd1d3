"""Settings from the environment. Pure; it imports only ``domain``. Start at ``environment.py``."""
