"""The outside world, one Protocol per file. Domains know these, never a vendor or a framework."""
