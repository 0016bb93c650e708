"""The calls into Tink: authenticated encryption (AES-256-GCM keysets) and the pseudo-random function behind blind indexes."""

from __future__ import annotations

import tink
from tink import aead, prf, proto_keyset_format, secret_key_access

from leadgate.errors import TamperedError

aead.register()
prf.register()

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
