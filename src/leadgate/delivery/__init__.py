"""Deliveries: lanes, leases, attempts, retry decisions, unknown outcomes, dead letters."""
