"""Any third-party bot builder: signed leads by Standard Webhooks."""
