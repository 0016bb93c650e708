"""The envelope of a backup file: who may open it, and that every byte is as it was written.

A line that says what it is, a head in clear (ids, times and wrapped keys), its checksum, then everything else as one sealed stream
under a key of its own. That key is wrapped by the custodian; the custodian's key lies beside it, sealed under the recovery key, so
that the paper alone opens the file. The head is bound to the stream: with another head it does not open.
What the stream holds is decided in `storage.backup_records`.
"""

from __future__ import annotations

import hashlib
from typing import BinaryIO

import msgspec

from leadgate.errors import BackupDamagedError, ConfigurationError
from leadgate.model.secret import Secret
from leadgate.ports.custodian import KeyWrapper, Wrapped
from leadgate.vault.ciphers import OpenedStream, SealingStream, StreamCipher, new_stream_keyset
from leadgate.vault.key_file import FileKeyWrapper, open_with_recovery_key

MAGIC = b"leadgate-backup-1\n"
_LENGTH_BYTES = 4
_DIGEST_BYTES = 32
_LONGEST_HEAD = 1 << 16


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in clear: nothing about a person and nothing that opens anything by itself.

    Attributes:
        created_at: ISO 8601, UTC.
        key_id: the custodian's key that wrapped the file's key.
        wrapped_key: the file's key, wrapped by it.
        sealed_recovery: the custodian's key under the recovery key; None when the custodian gives it to nobody.
    """

    workspace_id: str
    created_at: str
    key_id: str
    wrapped_key: bytes
    sealed_recovery: bytes | None


def begin_file(
    file: BinaryIO, wrapper: KeyWrapper, *, workspace_id: str, created_at: str, sealed_recovery: bytes | None
) -> SealingStream:
    """Write the head; what is written to the result arrives sealed. End it before `file` is closed: only then it is whole."""
    keyset = new_stream_keyset()
    wrapped = wrapper.wrap(keyset, _key_context(workspace_id, created_at))
    head = Head(
        workspace_id=workspace_id,
        created_at=created_at,
        key_id=wrapped.key_id,
        wrapped_key=wrapped.content,
        sealed_recovery=sealed_recovery,
    )
    start = _encode(head)
    file.write(start)
    return StreamCipher(keyset).sealing(file, start)


def read_head(file: BinaryIO) -> Head:
    """The head of a backup file; `file` then stands at the sealed stream.

    Raises:
        BackupDamagedError: no backup file, or its head was changed or cut.
    """
    if file.read(len(MAGIC)) != MAGIC:
        raise BackupDamagedError(
            "This is not a backup of Leadgate.", code="backup.not_one", hint="Choose another file."
        )
    length = int.from_bytes(file.read(_LENGTH_BYTES))
    content = file.read(length) if length <= _LONGEST_HEAD else b""
    try:
        head = msgspec.json.decode(content, type=Head)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise damaged() from None
    # The checksum only tells a worn disk from a wrong key; who changes it too fails at the stream.
    if _encode(head)[-_DIGEST_BYTES:] != file.read(_DIGEST_BYTES) or msgspec.json.encode(head) != content:
        raise damaged()
    return head


def open_stream(file: BinaryIO, head: Head, wrapper: KeyWrapper) -> OpenedStream:
    """The contents in clear; `file` stands where `read_head` left it.

    Raises:
        UnknownKeyError: the custodian holds another key.
        TamperedError: the wrapped key was changed.
    """
    keyset = wrapper.unwrap(Wrapped(head.wrapped_key, head.key_id), _key_context(head.workspace_id, head.created_at))
    return StreamCipher(keyset).opening(file, _encode(head))


def open_recovery(head: Head, recovery_key: Secret) -> FileKeyWrapper:
    """The custodian's key from the paper.

    Raises:
        UnknownKeyError: the paper is not the one of this backup.
        ConfigurationError: this backup's key is kept by a custodian that has no recovery key.
    """
    if head.sealed_recovery is None:
        raise ConfigurationError(
            "This backup has no recovery key: its key is kept by a custodian.",
            code="backup.no_recovery",
            hint="Put key-custodians.json of the house that made it into this data directory.",
        )
    return open_with_recovery_key(head.sealed_recovery, recovery_key.reveal())


def damaged() -> BackupDamagedError:
    """The one sentence about a file that is not as it was written."""
    return BackupDamagedError(
        "The backup file was changed or cut: nothing of it is used.",
        hint="Take another copy of it, or an earlier backup.",
    )


def _encode(head: Head) -> bytes:
    content = msgspec.json.encode(head)
    start = MAGIC + len(content).to_bytes(_LENGTH_BYTES) + content
    return start + hashlib.sha256(start).digest()


def _key_context(workspace_id: str, created_at: str) -> bytes:
    return f"leadgate\0{workspace_id}\0backup\0{created_at}".encode()
