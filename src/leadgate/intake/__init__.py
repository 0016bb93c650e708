"""Webhook in, committed event out; and the pure primitives that vendors share for it."""
