"""The key file of the data directory: how it is read and written, and the key that lies in it.

It holds the key encryption key in one or more generations, readable by its owner only. In clear, whoever can read the data
directory as that user can read the data; under a passphrase (`key_lock`) they need that too. Who takes turns with whom is decided
in `file_custodian`.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
from pathlib import Path
from typing import Self

from leadgate.errors import ConfigurationError, TamperedError, UnknownKeyError
from leadgate.ports.custodian import Wrapped
from leadgate.vault.ciphers import Cipher, new_cipher_keyset
from leadgate.vault.key_lock import MAGIC as LOCKED
from leadgate.vault.key_lock import KeyLock, new_lock, open_lock, read_passphrase
from leadgate.vault.recovery import new_recovery_key, open_with_paper, seal_for_paper

__all__ = [
    "KEY_FILE",
    "FileKeyWrapper",
    "create_key_file",
    "keep_key_file",
    "new_recovery_key",
    "open_key_file",
    "open_with_recovery_key",
    "read_key_file",
    "replace_durably",
    "sync_folder",
    "write_durably",
]

KEY_FILE = "key-encryption-key"
KIND = "file"
_MAGIC = b"leadgate-kek-1\n"
_MAGIC_OF_MANY = b"leadgate-kek-2\n"
"""More than one generation: a version that knows only one says that this is no key file, instead of reading half of it."""


class FileKeyWrapper:
    """The key encryption key in its generations, oldest first; one of them wraps. Never changes: the changing ones are copies."""

    kind = KIND

    def __init__(self, *keysets: bytes, primary: str | None = None) -> None:
        """Take the keysets in clear, oldest first; without `primary` the oldest wraps."""
        self._keysets = {_id_of(keyset): keyset for keyset in keysets}
        self._ciphers = {key_id: Cipher(keyset) for key_id, keyset in self._keysets.items()}
        self._primary = next(iter(self._keysets)) if primary is None else primary
        if self._primary not in self._keysets:
            raise _foreign()

    def key_id(self) -> str:
        """`file:` and a fingerprint that tells nothing of the key."""
        return self._primary

    def key_ids(self) -> frozenset[str]:
        """Every generation."""
        return frozenset(self._keysets)

    def wrap(self, data_key: bytes, context: bytes) -> Wrapped:
        """Seal a data key under this key and context."""
        return Wrapped(self._ciphers[self._primary].seal(data_key, context), self._primary)

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """Open a data key.

        Raises:
            UnknownKeyError: another key sealed it, or it was changed (a keyset cannot tell these apart).
        """
        cipher = self._ciphers.get(wrapped.key_id)
        if cipher is None:
            raise _foreign()
        try:
            return cipher.open(wrapped.content, context)
        except TamperedError:
            raise _foreign() from None

    def using(self, key_id: str) -> Self:
        """The same keys, wrapping with this one.

        Raises:
            UnknownKeyError: there is no such key.
        """
        return type(self)(*self._keysets.values(), primary=key_id)

    def joined(self, keyset: bytes) -> Self:
        """With one generation more, which does not wrap yet."""
        return type(self)(*self._keysets.values(), keyset, primary=self._primary)

    def without(self, key_ids: frozenset[str]) -> Self:
        """Without these generations, but for the one that wraps."""
        kept = [keyset for key_id, keyset in self._keysets.items() if key_id == self._primary or key_id not in key_ids]
        return type(self)(*kept, primary=self._primary)

    def keyset(self, key_id: str) -> bytes:
        """One generation in clear, to be sealed for another node.

        Raises:
            UnknownKeyError: there is no such key.
        """
        if key_id not in self._keysets:
            raise _foreign()
        return self._keysets[key_id]

    def seal_for_recovery(self, recovery_key: str) -> bytes:
        """The key encryption key itself, sealed for the recovery key, to lie beside the data."""
        return seal_for_paper(self.file_content(), recovery_key, self)

    def file_content(self) -> bytes:
        """What stands in the key file when it is not under a passphrase."""
        magic = _MAGIC if len(self._keysets) == 1 else _MAGIC_OF_MANY
        return magic + b"".join(base64.b64encode(keyset) + b"\n" for keyset in self._keysets.values())


def create_key_file(directory: Path, passphrase_file: Path | None = None) -> FileKeyWrapper:
    """Make a fresh key and write it atomically: a temporary file of mode 0600, fsync, link, fsync of the folder.

    Args:
        directory: the data directory.
        passphrase_file: the key file is sealed under what stands there; None: it is in clear.

    Raises:
        ConfigurationError: a key file is there already; it is never overwritten.
    """
    wrapper = FileKeyWrapper(new_cipher_keyset())
    keep_key_file(directory, wrapper, passphrase_file)
    return wrapper


def keep_key_file(directory: Path, wrapper: FileKeyWrapper, passphrase_file: Path | None = None) -> None:
    """Write a key that is there, from the paper for instance, as `create_key_file` writes a fresh one.

    Raises:
        ConfigurationError: a key file is there already; it is never overwritten.
    """
    content = wrapper.file_content()
    if passphrase_file is not None:
        content = new_lock(read_passphrase(passphrase_file)).seal(content)
    try:
        write_durably(directory / KEY_FILE, content)
    except FileExistsError:
        raise ConfigurationError(f"There is a key file in {directory} already.") from None


def open_key_file(directory: Path, passphrase_file: Path | None = None) -> FileKeyWrapper:
    """Read the key file of a data directory.

    Raises:
        ConfigurationError: it is missing, others can read it, it is no key file, or its passphrase is missing.
        UnknownKeyError: the passphrase does not open it.
    """
    return read_key_file(directory, passphrase_file, None)[0]


def read_key_file(
    directory: Path, passphrase_file: Path | None, lock: KeyLock | None
) -> tuple[FileKeyWrapper, KeyLock | None]:
    """The keys, and the lock of the file (None when it is in clear); a lock that was opened before spares the slow hash.

    Raises:
        ConfigurationError: as `open_key_file`.
        UnknownKeyError: as `open_key_file`.
    """
    content = _read_private(directory / KEY_FILE)
    if not content.startswith(LOCKED):
        return _parse(content), None
    if lock is None or not lock.fits(content):
        lock = open_lock(content, read_passphrase(passphrase_file))
    return _parse(lock.open(content)), lock


def _read_private(path: Path) -> bytes:
    try:
        mode = path.stat().st_mode
        content = path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(
            f"The key file {KEY_FILE} is missing in the data directory.",
            hint="Put it back from your copy, or restore a backup with the recovery key.",
        ) from None
    except OSError as error:
        raise ConfigurationError(f"The key file cannot be read: {error.strerror}.") from error
    if mode & 0o077:
        raise ConfigurationError("Others can read the key file.", hint=f"Run: chmod 600 {path}")
    return content


def _parse(content: bytes) -> FileKeyWrapper:
    """Today's form and the first one, which is the same with one generation."""
    magic = next((one for one in (_MAGIC, _MAGIC_OF_MANY) if content.startswith(one)), None)
    if magic is None:
        raise ConfigurationError(f"{KEY_FILE} is not a Leadgate key file.")
    lines = [content[len(magic) :]] if magic == _MAGIC else content[len(magic) :].split()
    try:
        return FileKeyWrapper(*(base64.b64decode(line, validate=False) for line in lines))
    except (ValueError, TamperedError, StopIteration):
        raise ConfigurationError("The key file is damaged.", hint="Put it back from your copy.") from None


def open_with_recovery_key(sealed: bytes, recovery_key: str) -> FileKeyWrapper:
    """The key encryption key from its sealed copy and the paper key.

    Raises:
        UnknownKeyError: the paper key is not the one of this copy, or was mistyped.
    """
    content = open_with_paper(sealed, recovery_key)
    return _parse(content) if content.startswith((_MAGIC, _MAGIC_OF_MANY)) else FileKeyWrapper(content)


def write_durably(path: Path, content: bytes) -> None:
    """Make a file of mode 0600 at once or not at all, so that it outlives a power cut.

    Raises:
        FileExistsError: there is one already; it is never overwritten.
        OSError: it cannot be written.
    """
    temporary = _write_temporary(path, content)
    try:
        os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def replace_durably(path: Path, content: bytes) -> None:
    """Put a file of mode 0600 in the place of the one that is there, at once or not at all, so that it outlives a power cut.

    Raises:
        OSError: it cannot be written; the old one stands.
    """
    temporary = _write_temporary(path, content)
    try:
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def _write_temporary(path: Path, content: bytes) -> Path:
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return temporary


def sync_folder(directory: Path) -> None:
    """Bring the names in a folder to the disk: a file that was flushed is lost in a power cut as long as its name is not."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _id_of(keyset: bytes) -> str:
    return f"{KIND}:" + hashlib.sha256(b"leadgate-kek-id" + keyset).hexdigest()[:16]


def _foreign() -> UnknownKeyError:
    return UnknownKeyError(
        "The key file does not fit this database.",
        hint="Put back the key file that belongs to this data directory, or restore a backup with the recovery key.",
    )
