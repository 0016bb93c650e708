"""Reversible pseudonyms for a language model: it reads `⟦PERSON-1-…⟧`, the client reads her name.

Pure: no clock, no network, no database; randomness comes in as an id source. `hide` and `restore` are the doors, the table is kept
sealed by the caller. What is personal data decides `privacy.detect`. Rules and limits: `docs/pseudonyms.md`.
"""
