"""The calls into Tink: authenticated encryption (AES-256-GCM keysets) of bytes and files, and the function behind blind indexes."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable
from types import TracebackType
from typing import BinaryIO, Self

import tink
from tink import aead, prf, proto_keyset_format, secret_key_access, streaming_aead

from leadgate.errors import TamperedError

aead.register()
prf.register()
streaming_aead.register()

INDEX_BYTES = 16
"""Length of a blind index: collisions are out of question and the full value is not stored (security sheet, section 3)."""


class Cipher:
    """Seals bytes so that they open only with the same key and the same context."""

    __slots__ = ("_aead",)

    def __init__(self, keyset: bytes) -> None:
        """Read a keyset made by `new_cipher_keyset`."""
        handle = _parse(keyset)
        self._aead = handle.primitive(aead.Aead)

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Encrypt; 33 bytes longer than `plain`."""
        sealed: bytes = self._aead.encrypt(plain, context)
        return sealed

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Decrypt.

        Raises:
            TamperedError: changed, another key, or another context.
        """
        try:
            plain: bytes = self._aead.decrypt(sealed, context)
        except tink.TinkError:
            raise TamperedError("The sealed data cannot be opened: it was changed or belongs elsewhere.") from None
        return plain


class Indexer:
    """Makes blind indexes: equal for equal values, useless without the key."""

    __slots__ = ("_prf",)

    def __init__(self, keyset: bytes) -> None:
        """Read a keyset made by `new_index_keyset`."""
        self._prf = _parse(keyset).primitive(prf.PrfSet).primary()

    def index(self, value: bytes) -> bytes:
        """16 bytes that stand for the value."""
        result: bytes = self._prf.compute(value, INDEX_BYTES)
        return result


class StreamCipher:
    """Seals a file in pieces of 4 KiB, each bound to its place and the last one marked: none is changed, moved or left out."""

    __slots__ = ("_streaming",)

    def __init__(self, keyset: bytes) -> None:
        """Read a keyset made by `new_stream_keyset`."""
        self._streaming = _parse(keyset).primitive(streaming_aead.StreamingAead)

    def sealing(self, target: BinaryIO, context: bytes) -> SealingStream:
        """Takes what is in clear and writes it sealed to `target`."""
        return SealingStream(self._streaming, target, context)

    def opening(self, source: BinaryIO, context: bytes) -> OpenedStream:
        """What was sealed for the same context, from where `source` stands to its end."""
        return OpenedStream(self._streaming.new_decrypting_stream(source, context))


class SealingStream:
    """Written in clear, arrives sealed; use as `with …`, whose end writes the last piece and leaves the target open."""

    def __init__(self, streaming: streaming_aead.StreamingAead, target: BinaryIO, context: bytes) -> None:
        """Write to this target."""
        self._target = _Target(target)
        self._stream = streaming.new_encrypting_stream(self._target, context)

    def __enter__(self) -> Self:
        """Nothing to open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write the end, unless the block failed.

        Raises:
            OSError: the target does not take it.
        """
        if error is None:
            self._call(self._stream.close)
        else:
            with contextlib.suppress(tink.TinkError, OSError):
                self._stream.close()

    def write(self, content: bytes, /) -> int:
        """Take all of it.

        Raises:
            OSError: the target does not take it.
        """
        self._call(lambda: self._stream.write(content))
        return len(content)

    def _call(self, work: Callable[[], object]) -> None:
        """Tink wraps what a full disk says into an error of its own."""
        try:
            work()
        except tink.TinkError:
            raise self._target.error or OSError(None, "the sealed file cannot be written") from None


class OpenedStream:
    """Reads in clear what `StreamCipher.sealing` sealed. What was read is genuine; that it is whole is known at its end."""

    def __init__(self, stream: io.RawIOBase) -> None:
        """Read from Tink's stream."""
        self._stream = stream

    def read_exactly(self, size: int) -> bytes:
        """So many bytes; fewer only at the end.

        Raises:
            TamperedError: changed, cut, appended to, another key, or another context.
        """
        parts: list[bytes] = []
        missing = size
        while missing:
            part = self._read(min(missing, _READ_AT_ONCE))
            if not part:
                break
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def _read(self, size: int) -> bytes:
        try:
            return self._stream.read(size) or b""
        except tink.TinkError:
            raise TamperedError("The sealed file cannot be opened: it was changed or cut, or is another one.") from None


class _Target(io.RawIOBase):
    """Hands writes on, remembers why one failed, and keeps the file open when Tink closes it: it has to be flushed first."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self.error: OSError | None = None

    def writable(self) -> bool:
        return True

    def write(self, content: object) -> int:
        try:
            return self._target.write(bytes(content))  # type: ignore[call-overload] # a buffer, says Tink
        except OSError as error:
            self.error = error
            raise


_READ_AT_ONCE = 1 << 20


def new_stream_keyset() -> bytes:
    """A fresh keyset for `StreamCipher`, in clear: wrap it before it is stored."""
    return _serialize(tink.new_keyset_handle(streaming_aead.streaming_aead_key_templates.AES256_GCM_HKDF_4KB))


def new_cipher_keyset() -> bytes:
    """A fresh keyset for `Cipher`, in clear: wrap it before it is stored."""
    return _serialize(tink.new_keyset_handle(aead.aead_key_templates.AES256_GCM))


def new_index_keyset() -> bytes:
    """A fresh keyset for `Indexer`, in clear: wrap it before it is stored."""
    return _serialize(tink.new_keyset_handle(prf.prf_key_templates.HMAC_SHA256))


def _parse(keyset: bytes) -> tink.KeysetHandle:
    try:
        return proto_keyset_format.parse(keyset, secret_key_access.TOKEN)
    except tink.TinkError:
        raise TamperedError("This is not a keyset, or it is damaged.") from None


def _serialize(handle: tink.KeysetHandle) -> bytes:
    keyset: bytes = proto_keyset_format.serialize(handle, secret_key_access.TOKEN)
    return keyset
