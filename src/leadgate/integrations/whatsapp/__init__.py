"""WhatsApp Cloud API: the salon's own numbers at Meta."""
