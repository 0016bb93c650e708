"""OpenBao and HashiCorp Vault as custodians of the key encryption key: their transit engine wraps the data keys."""
