"""Envelope encryption: what is kept is sealed under the data key of its scope; data keys are wrapped by the custodian.

Scopes: `subject:<id>` for everything of one person, `intake` for raw events before it is known whose they are, `secrets` for the
connections' secrets, `index` for blind indexes, `erasures` for orders to destroy something elsewhere. The context names workspace,
scope and place, so that a ciphertext moved to another row, column or person does not open.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from weakref import WeakKeyDictionary

from leadgate.errors import UnknownKeyError
from leadgate.ports.clock import Clock
from leadgate.ports.custodian import KeyWrapper, Wrapped
from leadgate.ports.stores import Transaction, WrappedKey
from leadgate.vault.ciphers import Cipher, Indexer, new_cipher_keyset, new_index_keyset

INTAKE = "intake"
SECRETS = "secrets"
INDEX = "index"
ERASURES = "erasures"
_SUBJECT = "subject:"
_CACHE_SIZE = 2000
_KEPT_OPEN = frozenset({INTAKE, SECRETS, ERASURES})
"""What everybody needs stays open, so that a custodian that is away stops nobody."""


def subject_scope(subject_id: str) -> str:
    """The scope of everything that belongs to one person."""
    return f"{_SUBJECT}{subject_id}"


def key_context(workspace_id: str, scope: str) -> bytes:
    """The context under which the data key of a scope is wrapped."""
    return _context(workspace_id, scope, "data_key")


class Vault:
    """Seals and opens. Opened keys are kept in memory for the most recent scopes only."""

    def __init__(self, wrapper: KeyWrapper, clock: Clock) -> None:
        """Use this custodian for wrapping data keys."""
        self._wrapper = wrapper
        self._clock = clock
        self._ciphers: OrderedDict[tuple[str, str], Cipher] = OrderedDict()
        self._indexers: dict[str, Indexer] = {}
        # Keys made inside a transaction belong to it alone: should it be rolled back, nothing may ever be sealed under them.
        self._fresh: WeakKeyDictionary[Transaction, dict[str, Cipher]] = WeakKeyDictionary()
        # Scopes whose keys a transaction holds: asked for once, and nobody destroys them before it is over.
        self._held: WeakKeyDictionary[Transaction, set[str]] = WeakKeyDictionary()
        self._lock = threading.Lock()  # units run in the threads of the storage, arrivals in the event loop

    def create_scope(self, tx: Transaction, scope: str) -> None:
        """Make the data key of a new scope inside the transaction that needs it."""
        keyset = new_index_keyset() if scope == INDEX else new_cipher_keyset()
        wrapped = self._wrapper.wrap(keyset, key_context(tx.workspace_id, scope))
        key = WrappedKey(scope=scope, wrapped_key=wrapped.content, wrapper_key_id=wrapped.key_id)
        tx.keys.add(key, at=self._clock.now())
        if scope != INDEX:
            with self._lock:
                self._fresh.setdefault(tx, {})[scope] = Cipher(keyset)

    def load(self, tx: Transaction) -> None:
        """Open the keys that the hot path needs without a transaction: `intake` and `index`.

        Raises:
            UnknownKeyError: the custodian's key is not the one of this database.
        """
        self._cipher(tx, INTAKE)
        self._indexer(tx)

    def seal(self, tx: Transaction, scope: str, place: str, plain: bytes) -> bytes:
        """Encrypt for one place, for instance `deliveries.payload:dlv_…`.

        A person's key may have been destroyed since it was opened here, by this process or another one: so each transaction asks
        for it, and while it lasts nobody destroys it.

        Raises:
            UnknownKeyError: the scope has no key (never made, or the person was erased).
        """
        if scope.startswith(_SUBJECT):
            self._hold(tx, scope)
        return self._cipher(tx, scope).seal(plain, _context(tx.workspace_id, scope, place))

    def open(self, tx: Transaction, scope: str, place: str, sealed: bytes) -> bytes:
        """Decrypt what `seal` made for the same scope and place.

        Raises:
            UnknownKeyError: the scope has no key.
            TamperedError: changed, or from another place.
        """
        return self._cipher(tx, scope).open(sealed, _context(tx.workspace_id, scope, place))

    def seal_arrival(self, workspace_id: str, place: str, plain: bytes) -> bytes:
        """Encrypt a raw event on the hot path, under the `intake` key that `load` opened."""
        return self._ciphers[workspace_id, INTAKE].seal(plain, _context(workspace_id, INTAKE, place))

    def index(self, workspace_id: str, kind: str, value: str) -> bytes:
        """The blind index of a value; kinds keep equal values of different meaning apart."""
        return self._indexers[workspace_id].index(f"{kind}\0{value}".encode(errors="surrogatepass"))

    def try_key(self, tx: Transaction, scope: str) -> None:
        """Open the data key of a scope to see that it opens; it is not kept in memory.

        Raises:
            UnknownKeyError: the custodian's key is not the one that wrapped it.
            TamperedError: what it wrapped is no key.
        """
        keyset = self._unwrap(tx, scope)
        _ = Indexer(keyset) if scope == INDEX else Cipher(keyset)

    def unwrap_key(self, tx: Transaction, scope: str) -> bytes:
        """The data key of a scope in clear, for whoever holds it in memory; it is not kept here.

        Raises:
            UnknownKeyError: the scope has no key, or the custodian's key is not the one that wrapped it.
        """
        return self._unwrap(tx, scope)

    def forget(self, workspace_id: str, scope: str) -> None:
        """Drop an opened key from memory (the person was erased)."""
        with self._lock:
            self._ciphers.pop((workspace_id, scope), None)

    def ensure_scope(self, tx: Transaction, scope: str) -> None:
        """Make the data key of a scope that everybody shares, unless it is there."""
        if tx.keys.find(scope) is None:
            self.create_scope(tx, scope)

    def _hold(self, tx: Transaction, scope: str) -> None:
        with self._lock:
            held = self._held.setdefault(tx, set())
            if scope in held or scope in self._fresh.get(tx, {}):
                return
        if not tx.keys.hold(scope):
            self.forget(tx.workspace_id, scope)
            raise _no_key()
        held.add(scope)

    def _cipher(self, tx: Transaction, scope: str) -> Cipher:
        slot = (tx.workspace_id, scope)
        with self._lock:
            fresh = self._fresh.get(tx, {}).get(scope)
            if fresh is not None:
                return fresh
            cipher = self._ciphers.get(slot)
            if cipher is not None:
                self._ciphers.move_to_end(slot)
                return cipher
        cipher = Cipher(self._unwrap(tx, scope))
        with self._lock:
            self._ciphers[slot] = cipher
            self._shrink()
        return cipher

    def _indexer(self, tx: Transaction) -> Indexer:
        if tx.workspace_id not in self._indexers:
            self._indexers[tx.workspace_id] = Indexer(self._unwrap(tx, INDEX))
        return self._indexers[tx.workspace_id]

    def _unwrap(self, tx: Transaction, scope: str) -> bytes:
        key = tx.keys.find(scope)
        if key is None:
            raise _no_key()
        return self._wrapper.unwrap(Wrapped(key.wrapped_key, key.wrapper_key_id), key_context(tx.workspace_id, scope))

    def _shrink(self) -> None:
        while len(self._ciphers) > _CACHE_SIZE:
            del self._ciphers[next(slot for slot in self._ciphers if slot[1] not in _KEPT_OPEN)]


def _no_key() -> UnknownKeyError:
    return UnknownKeyError("There is no data key for this; the person may have been erased.")


def _context(workspace_id: str, scope: str, place: str) -> bytes:
    return f"leadgate\0{workspace_id}\0{scope}\0{place}".encode()
