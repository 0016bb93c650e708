"""The key file under a passphrase: argon2id makes a key of it, AES-256-GCM seals the contents.

The passphrase is read from a file: one that systemd hands over as a credential, or one on another disk. It never stands in the
data directory, so that whoever takes that alone can open nothing.
"""

from __future__ import annotations

import base64
import os
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from leadgate.errors import ConfigurationError, UnknownKeyError
from leadgate.model.secret import Secret

MAGIC = b"leadgate-kek-sealed-1\n"
SHORTEST = 12
_LONGEST_FILE_BYTES = 4096
_MOST_MEMORY_KIB = 1 << 20
_MOST_TURNS = 64


class _Cost(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How dear a try is: memory in KiB and turns (RFC 9106, second choice: 64 MiB, three turns, four lanes)."""

    salt: str
    memory: int = 64 << 10
    turns: int = 3
    lanes: int = 4


class KeyLock:
    """A passphrase and the key that argon2id made of it, once for a file: each try takes a tenth of a second."""

    def __init__(self, passphrase: Secret, cost: _Cost) -> None:
        """Derive the key; use `new_lock` or `open_locked`."""
        self._header = MAGIC + msgspec.json.encode(cost) + b"\n"
        self._key = Argon2id(
            salt=base64.b64decode(cost.salt),
            length=32,
            iterations=cost.turns,
            lanes=cost.lanes,
            memory_cost=cost.memory,
        ).derive(passphrase.reveal().encode())

    def seal(self, content: bytes) -> bytes:
        """What stands in the file."""
        nonce = os.urandom(12)
        sealed = nonce + AESGCM(self._key).encrypt(nonce, content, self._header)
        return self._header + base64.b64encode(sealed) + b"\n"

    def fits(self, file: bytes) -> bool:
        """True when the file was sealed with the same passphrase, salt and cost, so that nothing has to be derived anew."""
        return file.startswith(self._header)

    def open(self, file: bytes) -> bytes:
        """What is in it.

        Raises:
            UnknownKeyError: another passphrase, or the file was changed.
        """
        try:
            sealed = base64.b64decode(file[len(self._header) :], validate=False)
            return AESGCM(self._key).decrypt(sealed[:12], sealed[12:], self._header)
        except (InvalidTag, ValueError):
            raise UnknownKeyError(
                "The passphrase does not open the key file.",
                code="keys.wrong_passphrase",
                hint="Put the right passphrase into the file that LEADGATE_KEY_PASSPHRASE_FILE names.",
            ) from None


def new_lock(passphrase: Secret) -> KeyLock:
    """A lock with a salt of its own.

    Raises:
        ConfigurationError: the passphrase is shorter than twelve characters.
    """
    if len(passphrase.reveal()) < SHORTEST:
        raise ConfigurationError(
            f"A passphrase of the key file needs at least {SHORTEST} characters.",
            code="keys.passphrase_short",
            hint="Take five words, or 32 random letters for a credential of systemd.",
        )
    return KeyLock(passphrase, _Cost(base64.b64encode(os.urandom(16)).decode()))


def open_lock(file: bytes, passphrase: Secret) -> KeyLock:
    """The lock of a sealed file; whether the passphrase is the right one shows when it opens.

    Raises:
        ConfigurationError: the file is damaged.
    """
    try:
        cost = msgspec.json.decode(file[len(MAGIC) :].split(b"\n", 1)[0], type=_Cost)
        # A file that somebody changed must not make us fill the memory.
        if not (0 < cost.memory <= _MOST_MEMORY_KIB and 0 < cost.turns <= _MOST_TURNS):
            raise ValueError
        return KeyLock(passphrase, cost)
    except (msgspec.DecodeError, ValueError, UnicodeDecodeError):
        raise ConfigurationError("The key file is damaged.", hint="Put it back from your copy.") from None


def read_passphrase(path: Path | None) -> Secret:
    """The passphrase from its file, without the end of the line.

    Raises:
        ConfigurationError: nobody said where it is, or it cannot be read or is empty.
    """
    if path is None:
        raise ConfigurationError(
            "The key file is sealed under a passphrase, and nobody said where that is.",
            code="keys.no_passphrase",
            hint="Set LEADGATE_KEY_PASSPHRASE_FILE, or give systemd the credential leadgate-key-passphrase.",
        )
    try:
        with path.open("rb") as file:
            text = file.read(_LONGEST_FILE_BYTES).decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        text = ""
    if not text:
        raise ConfigurationError(
            "The file of the passphrase cannot be read or is empty.",
            code="keys.passphrase_unread",
            hint="See to the file that LEADGATE_KEY_PASSPHRASE_FILE names.",
        )
    return Secret(text)
