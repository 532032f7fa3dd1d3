"""Enrols accounts: creates or tags a secret for the key in use.

From then on the service manages both keys. The key in use is never guessed: a wrong guess would
regenerate the key that consumers hold. ``plan`` decides and is pure; ``enroller`` reads and writes.
"""
