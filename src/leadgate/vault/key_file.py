"""The default custodian: a key file in the data directory, and the recovery key that is kept on paper.

The file holds the key encryption key in clear, readable by its owner only; whoever can read the data directory as that user
can read the data. Other custodians keep the key elsewhere.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from pathlib import Path

from leadgate.errors import ConfigurationError, TamperedError, UnknownKeyError
from leadgate.vault.ciphers import Cipher, new_cipher_keyset

KEY_FILE = "key-encryption-key"
_MAGIC = b"leadgate-kek-1\n"
_RECOVERY_BYTES = 30
_RECOVERY_CONTEXT = b"leadgate:recovery"


class FileKeyWrapper:
    """A key encryption key read from a file of mode 0600."""

    def __init__(self, keyset: bytes) -> None:
        """Take the keyset in clear; use `open_key_file` or `create_key_file`."""
        self._keyset = keyset
        self._cipher = Cipher(keyset)
        self._key_id = "file:" + hashlib.sha256(b"leadgate-kek-id" + keyset).hexdigest()[:16]

    def key_id(self) -> str:
        """`file:` and a fingerprint that tells nothing of the key."""
        return self._key_id

    def wrap(self, data_key: bytes, context: bytes) -> bytes:
        """Seal a data key under this key and context."""
        return self._cipher.seal(data_key, context)

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """Open a data key.

        Raises:
            UnknownKeyError: another key sealed it, or it was changed (a keyset cannot tell these apart).
        """
        try:
            return self._cipher.open(wrapped, context)
        except TamperedError:
            raise UnknownKeyError(
                "The key file does not fit this database.",
                hint="Put back the key file that belongs to this data directory, or restore a backup with the recovery key.",
            ) from None

    def seal_for_recovery(self, recovery_key: str) -> bytes:
        """The key encryption key itself, sealed under the recovery key, to lie beside the data."""
        return _recovery_cipher(recovery_key, self._keyset)

    def file_content(self) -> bytes:
        """What stands in the key file."""
        return _MAGIC + base64.b64encode(self._keyset) + b"\n"


def create_key_file(directory: Path) -> FileKeyWrapper:
    """Make a fresh key and write it atomically: a temporary file of mode 0600, fsync, link, fsync of the folder.

    Raises:
        ConfigurationError: a key file is there already; it is never overwritten.
    """
    wrapper = FileKeyWrapper(new_cipher_keyset())
    keep_key_file(directory, wrapper)
    return wrapper


def keep_key_file(directory: Path, wrapper: FileKeyWrapper) -> None:
    """Write a key that is there, from the paper for instance, as `create_key_file` writes a fresh one.

    Raises:
        ConfigurationError: a key file is there already; it is never overwritten.
    """
    try:
        write_durably(directory / KEY_FILE, wrapper.file_content())
    except FileExistsError:
        raise ConfigurationError(f"There is a key file in {directory} already.") from None


def write_durably(path: Path, content: bytes) -> None:
    """Make a file of mode 0600 at once or not at all, so that it outlives a power cut.

    Raises:
        FileExistsError: there is one already; it is never overwritten.
        OSError: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.urandom(8).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)


def open_key_file(directory: Path) -> FileKeyWrapper:
    """Read the key file of a data directory.

    Raises:
        ConfigurationError: it is missing, others can read it, or it is no key file.
    """
    path = directory / KEY_FILE
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
    if not content.startswith(_MAGIC):
        raise ConfigurationError(f"{KEY_FILE} is not a Leadgate key file.")
    try:
        return FileKeyWrapper(base64.b64decode(content[len(_MAGIC) :], validate=False))
    except (ValueError, TamperedError):
        raise ConfigurationError("The key file is damaged.", hint="Put it back from your copy.") from None


def new_recovery_key(random_bytes: bytes) -> str:
    """A key to write on paper: twelve groups of four letters and digits from 30 random bytes.

    Raises:
        ValueError: not exactly 30 bytes.
    """
    if len(random_bytes) != _RECOVERY_BYTES:
        raise ValueError("a recovery key is made of 30 bytes")
    letters = base64.b32encode(random_bytes).decode()
    return "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))


def _recovery_cipher(recovery_key: str, keyset: bytes) -> bytes:
    # 240 random bits need no slow password hash; HKDF makes a key of the right length from them.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 -- only `init` and `restore` need it

    nonce = os.urandom(12)
    return nonce + AESGCM(_recovery_bytes(recovery_key)).encrypt(nonce, keyset, _RECOVERY_CONTEXT)


def open_with_recovery_key(sealed: bytes, recovery_key: str) -> FileKeyWrapper:
    """The key encryption key from its sealed copy and the paper key.

    Raises:
        UnknownKeyError: the paper key is not the one of this copy, or was mistyped.
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415 -- only `restore` needs it
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 -- only `restore` needs it

    try:
        keyset = AESGCM(_recovery_bytes(recovery_key)).decrypt(sealed[:12], sealed[12:], _RECOVERY_CONTEXT)
    except (InvalidTag, ValueError):
        raise UnknownKeyError(
            "The recovery key does not fit.", hint="Check it letter by letter against the paper."
        ) from None
    return FileKeyWrapper(keyset)


def _recovery_bytes(recovery_key: str) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 -- only `init` and `restore` need it
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415 -- only `init` and `restore` need it

    letters = re.sub(r"[\s-]", "", recovery_key).upper()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"leadgate recovery key 1").derive(letters.encode())


def sync_folder(directory: Path) -> None:
    """Bring the names in a folder to the disk: a file that was flushed is lost in a power cut as long as its name is not."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
