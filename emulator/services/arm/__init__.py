"""Resource Manager for Azure AI accounts: get, list, listKeys, regenerateKey."""
