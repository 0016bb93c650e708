"""Signed checkpoints: C2SP tlog-checkpoint, a signed note with one Ed25519 signature.

A checkpoint says: so many entries, this root. Whoever keeps one that was taken out can later tell whether the journal still
begins with the very same entries.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from leadgate.audit.encoding import text_of
from leadgate.errors import JournalTamperedError

SIGNATURE_BYTES = 64
_ALGORITHM = b"\x01"  # Ed25519, in C2SP signed-note
_KEY_ID_BYTES = 4
_KEY_BYTES = 32
_SECRET_WORD = "PRIVATE+KEY"  # noqa: S105 - how a signing key begins, not a key
_KEY_LINE = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")
_NOTE = re.compile(r"(?:^|\n)(([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n)\n(.*)", re.ASCII | re.DOTALL)
_SIGNATURE = re.compile(r"\u2014 ([^\s+]+) ([A-Za-z0-9+/=]+)")
UNREADABLE = "journal.checkpoint_unreadable"
"""Code of what is no checkpoint at all, such as an empty file."""

LONGEST_NOTE = 10_000
"""Characters; nothing longer is read as a checkpoint."""


class VerifyingKey:
    """The public half: tells whether a checkpoint is ours."""

    def __init__(self, name: str, raw: bytes) -> None:
        """Take a name without spaces and plus signs, which is also the origin of the checkpoints, and 32 bytes."""
        self.name = name
        self._raw = raw
        self._key = Ed25519PublicKey.from_public_bytes(raw)
        self._id = hashlib.sha256(name.encode() + b"\n" + _ALGORITHM + raw).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        """The one line in which it is handed out (C2SP signed-note, verifier key)."""
        return f"{self.name}+{self._id.hex()}+{text_of(_ALGORITHM + self._raw)}"

    @classmethod
    def parse(cls, line: str) -> VerifyingKey:
        """Read such a line. Raises ValueError."""
        name, key_id, raw = _read_key(line.strip())
        key = cls(name, raw)
        if key.key_id.hex() != key_id:
            raise ValueError("the key's number does not fit it")
        return key

    @property
    def key_id(self) -> bytes:
        """Four bytes by which a note names the key."""
        return self._id

    def has_signed(self, size: int, root: bytes, signature: bytes) -> bool:
        """True when this is our signature under a checkpoint of this size and root."""
        return self.has_signed_text(body_of(self.name, size, root), signature)

    def has_signed_text(self, text: str, signature: bytes) -> bool:
        """True when this is our signature under this text."""
        try:
            self._key.verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


class SigningKey:
    """The private half."""

    def __init__(self, name: str, seed: bytes) -> None:
        """Take the name and the 32 bytes that the key is made of."""
        self._name = name
        self._seed = seed
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = VerifyingKey(name, self._key.public_key().public_bytes_raw())

    @classmethod
    def parse(cls, line: str) -> SigningKey:
        """Read the line of `reveal`. Raises ValueError, without the line."""
        prefix = f"{_SECRET_WORD}+"
        if not line.startswith(prefix):
            raise ValueError("not a signing key")
        name, key_id, seed = _read_key(line.removeprefix(prefix).strip())
        key = cls(name, seed)
        if key.public.key_id.hex() != key_id:
            raise ValueError("the key's number does not fit it")
        return key

    def reveal(self) -> str:
        """The secret line for the key's file (C2SP signed-note as Go writes it)."""
        return f"{_SECRET_WORD}+{self._name}+{self.public.key_id.hex()}+{text_of(_ALGORITHM + self._seed)}"

    def sign(self, size: int, root: bytes) -> bytes:
        """The signature under a checkpoint of this size and root; the same each time."""
        return self._key.sign(body_of(self._name, size, root).encode())


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """So many entries, this root; only `read_checkpoint` makes one, so its signature is known to be right."""

    size: int
    root: bytes


def body_of(origin: str, size: int, root: bytes) -> str:
    """The text that is signed."""
    return f"{origin}\n{size}\n{text_of(root)}\n"


def write_checkpoint(key: VerifyingKey, size: int, root: bytes, signature: bytes) -> str:
    """The checkpoint as it is handed out."""
    return f"{body_of(key.name, size, root)}\n\N{EM DASH} {key.name} {text_of(key.key_id + signature)}\n"


def read_checkpoint(text: str, key: VerifyingKey) -> Checkpoint:
    """Read a checkpoint that this key has signed; other signatures beside it are let be, and a letter that it came in.

    Raises:
        JournalTamperedError: it is none (`journal.checkpoint_unreadable`), or it is not signed by the key
            (`journal.checkpoint_forged`).
    """
    found = _NOTE.search(text[:LONGEST_NOTE].replace("\r\n", "\n"))
    if found is None:
        raise JournalTamperedError(
            "This is no checkpoint of a journal.",
            code="journal.checkpoint_unreadable",
            hint="Give a file that `leadgate journal head` wrote.",
        )
    signatures = _signatures_by(key, found[5])
    if found[2] != key.name or not any(key.has_signed_text(found[1], one) for one in signatures):
        raise JournalTamperedError(
            "This checkpoint was not signed by this journal's key: it is forged, or it belongs to another journal.",
            code="journal.checkpoint_forged",
            hint="If you took it out of this very journal, its key was replaced; see docs/runbook/journal-damaged.md.",
        )
    return Checkpoint(int(found[3]), base64.b64decode(found[4]))


def _signatures_by(key: VerifyingKey, lines: str) -> list[bytes]:
    found = []
    for line in lines.split("\n"):
        match = _SIGNATURE.fullmatch(line.rstrip())
        if match is None or match[1] != key.name:
            continue
        try:
            raw = base64.b64decode(match[2], validate=True)
        except binascii.Error:
            continue
        if raw[:_KEY_ID_BYTES] == key.key_id and len(raw) == _KEY_ID_BYTES + SIGNATURE_BYTES:
            found.append(raw[_KEY_ID_BYTES:])
    return found


def _read_key(line: str) -> tuple[str, str, bytes]:
    found = _KEY_LINE.fullmatch(line)
    if found is None:
        raise ValueError("not a key")
    raw = base64.b64decode(found[3], validate=True)
    if raw[:1] != _ALGORITHM or len(raw) != 1 + _KEY_BYTES:
        raise ValueError("not an Ed25519 key")
    return found[1], found[2], raw[1:]
