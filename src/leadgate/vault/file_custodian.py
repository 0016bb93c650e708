"""The default custodian: the key file of the data directory, read again when another process added a generation."""

from __future__ import annotations

import threading
from pathlib import Path

from leadgate.errors import ConfigurationError, UnknownKeyError
from leadgate.model.secret import Secret
from leadgate.ports.custodian import Wrapped
from leadgate.vault.ciphers import new_cipher_keyset
from leadgate.vault.key_file import KEY_FILE, KIND, FileKeyWrapper, read_key_file, replace_durably
from leadgate.vault.key_lock import new_lock
from leadgate.vault.recovery import open_with_paper, seal_again, seal_for_paper


class FileCustodian:
    """See `ports.custodian.Custodian`. One process at a time changes the file: whoever calls the changing ones holds a lease."""

    kind = KIND

    def __init__(self, directory: Path, passphrase_file: Path | None = None) -> None:
        """Open the key file.

        Raises:
            ConfigurationError: missing, open to others, no key file, or its passphrase is missing.
            UnknownKeyError: the passphrase does not open it.
        """
        self._directory = directory
        self._passphrase_file = passphrase_file
        self._writing = threading.Lock()
        self._keys, self._lock = read_key_file(directory, passphrase_file, None)

    @property
    def is_locked(self) -> bool:
        """True when the file is sealed under a passphrase."""
        return self._lock is not None

    def key_id(self) -> str:
        """Which generation wraps."""
        return self._keys.key_id()

    def key_ids(self) -> frozenset[str]:
        """Every generation in the file."""
        return self._keys.key_ids()

    def wrap(self, data_key: bytes, context: bytes) -> Wrapped:
        """Seal a data key."""
        return self._keys.wrap(data_key, context)

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """Open a data key; a generation that is not known is looked for in the file.

        Raises:
            UnknownKeyError: sealed by a key that is not in the file, changed, or another context.
        """
        if wrapped.key_id not in self._keys.key_ids():
            self._read_again()
        return self._keys.unwrap(wrapped, context)

    def rotate(self) -> str:
        """Add a generation to the file; it wraps after `use`."""
        keyset = new_cipher_keyset()
        key_id = FileKeyWrapper(keyset).key_id()
        self.adopt(keyset, key_id)
        return key_id

    def adopt(self, keyset: bytes, key_id: str) -> None:
        """Add this generation to the file, for instance one that another node made; no effect when it is there.

        Raises:
            ConfigurationError: the file cannot be written; what is in it stands.
        """
        with self._writing:
            self._read_again()
            if key_id not in self._keys.key_ids():
                self._write(self._keys.joined(keyset))

    def use(self, key_id: str) -> None:
        """Wrap with this generation from now on.

        Raises:
            UnknownKeyError: it is not in the file.
        """
        if key_id == self._keys.key_id():
            return
        if key_id not in self._keys.key_ids():
            self._read_again()
        self._keys = self._keys.using(key_id)

    def drop(self, key_ids: frozenset[str]) -> None:
        """Take these generations out of the file.

        Raises:
            ConfigurationError: the file cannot be written; what is in it stands.
        """
        with self._writing:
            self._read_again()
            if key_ids & (self._keys.key_ids() - {self._keys.key_id()}):
                self._write(self._keys.without(key_ids))

    def check(self) -> None:
        """The keys are in memory: nothing to ask."""

    def protect(self, passphrase: Secret | None) -> None:
        """Seal the file under this passphrase from now on; None: in clear.

        Raises:
            ConfigurationError: the passphrase is too short, or the file cannot be written.
        """
        lock = None if passphrase is None else new_lock(passphrase)
        with self._writing:
            self._read_again()
            self._lock = lock
            self._write(self._keys)

    def keyset(self, key_id: str) -> bytes:
        """One generation in clear, to be sealed for other nodes.

        Raises:
            UnknownKeyError: it is not in the file.
        """
        return self._keys.keyset(key_id)

    def recovery_copy(self, copy: bytes, recovery_key: Secret | None, *, key_id: str) -> bytes | None:
        """All generations for the paper that opens `copy`; None when it is of the first form and the paper was not given.

        Args:
            copy: the one that is there.
            recovery_key: the paper.
            key_id: the generation that keeps the paper's public half from now on.

        Raises:
            UnknownKeyError: the paper is not the one of this copy, or the copy was changed.
        """
        keys = self._keys.using(key_id)
        content = keys.file_content()
        if recovery_key is None:
            return seal_again(content, copy, keys)
        open_with_paper(copy, recovery_key.reveal())  # another paper would be sealed for, and nobody has that one
        return seal_for_paper(content, recovery_key.reveal(), keys)

    def new_recovery_copy(self, recovery_key: Secret, *, key_id: str) -> bytes:
        """All generations for a fresh paper, whose public half this generation keeps."""
        keys = self._keys.using(key_id)
        return seal_for_paper(keys.file_content(), recovery_key.reveal(), keys)

    def _read_again(self) -> None:
        keys, self._lock = read_key_file(self._directory, self._passphrase_file, self._lock)
        try:
            self._keys = keys.using(self._keys.key_id())
        except UnknownKeyError:  # another file was put there: what is in memory opens nothing that it wraps
            self._keys = keys

    def _write(self, keys: FileKeyWrapper) -> None:
        content = keys.file_content()
        try:
            replace_durably(self._directory / KEY_FILE, content if self._lock is None else self._lock.seal(content))
        except OSError as error:
            raise ConfigurationError(
                f"The key file cannot be written: {error.strerror}.",
                code="keys.not_written",
                hint="Make room in the data directory or see to its owner, then run the same command again.",
            ) from error
        self._keys = keys
