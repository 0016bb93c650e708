"""Hashes of what is random already, and times that all of the room share."""

from __future__ import annotations

import hashlib
from datetime import timedelta

SETUP_LIFE = timedelta(hours=72)
SESSION_LIFE = timedelta(days=7)
SESSION_IDLE = timedelta(hours=12)
CHALLENGE_LIFE = timedelta(minutes=5)
"""How long a second step or a passkey is waited for."""

SECOND_STEP = "second"
PASSKEY_SIGN_IN = "passkey"
PASSKEY_ENROLMENT = "enrol"
"""Kinds of challenges."""


def hash_token(token: str) -> bytes:
    """What the database keeps of a token; 256 random bits need no slow hash."""
    return hashlib.sha256(b"leadgate-token\0" + token.encode("utf-8", "surrogatepass")).digest()


def random_bytes(token: str, purpose: str) -> bytes:
    """32 bytes as random as the token they are made of; each purpose has its own."""
    return hashlib.sha256(f"leadgate-{purpose}\0{token}".encode()).digest()
