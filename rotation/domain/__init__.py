"""Nouns and values: keys, secrets, operations, the stored record, policy, tags, errors.

Pure: it imports the standard library and msgspec only. Start reading at
``record.py``; ``legacy.py`` reads what earlier versions stored only as text.
"""
