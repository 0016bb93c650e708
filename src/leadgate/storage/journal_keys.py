"""What lies beside the journal: its signing key, the public half, and the newest signed checkpoint.

They are files of their own in the data directory, so that whoever changes the journal's database alone is found out. The key of
the vault is another one: an auditor checks a journal without being able to read anybody's data.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from leadgate.audit.checkpoints import LONGEST_NOTE, SigningKey, VerifyingKey, write_checkpoint
from leadgate.audit.merkle import EMPTY_ROOT
from leadgate.errors import ConfigurationError, JournalUnavailableError
from leadgate.vault.key_file import sync_folder, write_durably

KEY_FILE = "journal-signing-key"
PUBLIC_FILE = "journal-public-key"
CHECKPOINT_FILE = "journal-checkpoint"
_NAME = "leadgate-journal/"
_SEED_BYTES = 32
_NAME_BYTES = 8


def make_keys(directory: Path) -> SigningKey:
    """A key for a new journal, its public half and the checkpoint of no entries. A second call gives the key that is there.

    Raises:
        OSError: it cannot be written.
        JournalUnavailableError: the key that is there cannot be used.
    """
    key = SigningKey(_NAME + os.urandom(_NAME_BYTES).hex(), os.urandom(_SEED_BYTES))
    try:
        write_durably(directory / KEY_FILE, f"{key.reveal()}\n".encode())
    except FileExistsError:
        key = open_signing_key(directory)
    if not (directory / PUBLIC_FILE).exists():
        replace_file(directory / PUBLIC_FILE, f"{key.public}\n", is_durable=True)
    if not (directory / CHECKPOINT_FILE).exists():
        empty = write_checkpoint(key.public, 0, EMPTY_ROOT, key.sign(0, EMPTY_ROOT))
        replace_file(directory / CHECKPOINT_FILE, empty, is_durable=True)
    return key


def open_signing_key(directory: Path) -> SigningKey:
    """The key of a journal that has entries.

    Raises:
        JournalUnavailableError: it is missing, others can read it, or it is no such key.
    """
    path = directory / KEY_FILE
    try:
        mode, line = path.stat().st_mode, path.read_text("ascii").strip()
        if mode & 0o077:
            raise JournalUnavailableError("Others can read the journal's signing key.", hint=f"Run: chmod 600 {path}")
        return SigningKey.parse(line)
    except (OSError, ValueError):
        raise JournalUnavailableError(
            f"The journal's signing key {KEY_FILE} is missing or damaged, so nothing was done.",
            hint="Put it back from a copy of the data directory; see docs/runbook/journal-damaged.md.",
        ) from None


def find_public_key(directory: Path) -> VerifyingKey | None:
    """The public key that lies beside a journal; None when there is none, as before the first entry.

    Raises:
        ConfigurationError: the file is no public key.
    """
    try:
        line = (directory / PUBLIC_FILE).read_text("ascii")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _no_key() from error
    try:
        return VerifyingKey.parse(line)
    except ValueError:
        raise _no_key() from None


def _no_key() -> ConfigurationError:
    return ConfigurationError(
        f"{PUBLIC_FILE} in the data directory is not the public key of a journal.",
        hint="Put it back from a copy of the data directory.",
    )


def read_kept_checkpoint(directory: Path) -> tuple[str, datetime] | None:
    """The checkpoint beside the journal and when it was written; None when there is none. Its signature is not checked here."""
    path = directory / CHECKPOINT_FILE
    try:
        with path.open("rb") as file:
            text = file.read(LONGEST_NOTE).decode("utf-8", "replace")
            return text, datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
    except OSError:
        return None


def keep_checkpoint(directory: Path, checkpoint: str, *, is_durable: bool) -> None:
    """Write the newest checkpoint in the place of the one before.

    After each entry it need not outlive a power cut: an older one fits as well. Raises OSError.
    """
    replace_file(directory / CHECKPOINT_FILE, checkpoint, is_durable=is_durable)


def replace_file(path: Path, text: str, *, is_durable: bool) -> None:
    """Put a file of mode 0600 in the place of another, at once or not at all. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text.encode())
        if is_durable:
            file.flush()
            os.fsync(file.fileno())
    temporary.replace(path)
    if is_durable:
        sync_folder(path.parent)
