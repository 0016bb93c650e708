"""Arithmetic of the audit journal: canonical entries, Merkle hashes, signed checkpoints, what is wrong with a journal."""
