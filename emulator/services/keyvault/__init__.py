"""Key Vault's secrets data plane: state, rules, and the HTTP in front of them."""
