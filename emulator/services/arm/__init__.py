"""Resource Manager (ARM): Azure AI accounts and their keys, and reads about vaults.

Start with ``service.py``. ``account_requests.py`` handles accounts; ``vault_requests.py`` handles
subscriptions, vaults, their policies and their events. Imports from the services below it and from
``emulator.core``.
"""
