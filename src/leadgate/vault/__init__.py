"""Envelope encryption: data keys wrapped by a key encryption key, blind indexes, and the custodians of that key.

The only room that imports a cryptography library (a lint rule forbids the rest); the audit room may sign.
"""
