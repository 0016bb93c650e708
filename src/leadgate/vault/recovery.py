"""The recovery key on paper: it opens a copy of the key encryption key that lies beside the data.

The paper stands for a pair of keys. Its public half lies beside the data too, so that every later generation of the key encryption
key is sealed for the same paper while the paper stays in its drawer. That half is itself sealed under the key encryption key:
whoever may only write the database cannot put a half of their own there and be sent the next key.
Copies of the first form (`leadgate` up to 0.1) were sealed under the paper itself and are only read.
"""

from __future__ import annotations

import base64
import re

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from leadgate.errors import UnknownKeyError
from leadgate.ports.custodian import KeyWrapper, Wrapped

_RECOVERY_BYTES = 30
_MAGIC = b"leadgate-recovery-2\n"
_FIRST_CONTEXT = b"leadgate:recovery"
_PAIR_CONTEXT = b"leadgate:recovery-pair"
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class _Copy(msgspec.Struct, frozen=True, kw_only=True):
    """A sealed copy.

    Attributes:
        sealed: what the paper opens (HPKE, RFC 9180).
        pair: the public half, wrapped by the key encryption key `pair_key_id`.
    """

    sealed: bytes
    pair: bytes
    pair_key_id: str


def new_recovery_key(random_bytes: bytes) -> str:
    """A key to write on paper: twelve groups of four letters and digits from 30 random bytes.

    Raises:
        ValueError: not exactly 30 bytes.
    """
    if len(random_bytes) != _RECOVERY_BYTES:
        raise ValueError("a recovery key is made of 30 bytes")
    letters = base64.b32encode(random_bytes).decode()
    return "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))


def seal_for_paper(content: bytes, recovery_key: str, wrapper: KeyWrapper) -> bytes:
    """A copy of `content` that this paper opens; `wrapper` keeps the public half for `seal_again`."""
    return _seal(content, _pair(recovery_key).public_key(), wrapper)


def seal_again(content: bytes, copy: bytes, wrapper: KeyWrapper) -> bytes | None:
    """Another content for the paper that opens `copy`; None when the copy is of the first form and the paper is needed.

    Raises:
        UnknownKeyError: the copy was changed, or belongs to another key.
    """
    if not copy.startswith(_MAGIC):
        return None
    read = _read(copy)
    half = wrapper.unwrap(Wrapped(read.pair, read.pair_key_id), _PAIR_CONTEXT)
    return _seal(content, X25519PublicKey.from_public_bytes(half), wrapper)


def open_with_paper(copy: bytes, recovery_key: str) -> bytes:
    """What was sealed for this paper; of a copy of the first form the keyset alone.

    Raises:
        UnknownKeyError: the paper key is not the one of this copy, or was mistyped, or the copy was changed.
    """
    try:
        if copy.startswith(_MAGIC):
            return _SUITE.decrypt(_read(copy).sealed, _pair(recovery_key), info=_MAGIC)
        nonce, sealed = copy[:12], copy[12:]
        return AESGCM(_derive(recovery_key, b"leadgate recovery key 1")).decrypt(nonce, sealed, _FIRST_CONTEXT)
    except (InvalidTag, ValueError):
        raise UnknownKeyError(
            "The recovery key does not fit.", hint="Check it letter by letter against the paper."
        ) from None


def _seal(content: bytes, half: X25519PublicKey, wrapper: KeyWrapper) -> bytes:
    pair = wrapper.wrap(half.public_bytes_raw(), _PAIR_CONTEXT)
    sealed = _SUITE.encrypt(content, half, info=_MAGIC)
    return _MAGIC + msgspec.json.encode(_Copy(sealed=sealed, pair=pair.content, pair_key_id=pair.key_id))


def _read(copy: bytes) -> _Copy:
    try:
        return msgspec.json.decode(copy[len(_MAGIC) :], type=_Copy)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UnknownKeyError("The sealed copy of the key was changed.", hint="Take another backup.") from None


def _pair(recovery_key: str) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(_derive(recovery_key, b"leadgate recovery pair 2"))


def _derive(recovery_key: str, purpose: bytes) -> bytes:
    # 240 random bits need no slow password hash; HKDF makes a key of the right length from them.
    letters = re.sub(r"[\s-]", "", recovery_key).upper()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose).derive(letters.encode())
