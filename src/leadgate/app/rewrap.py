"""Data keys wrapped anew by the generation that wraps now: in parts, in the background, from where a kill left it.

What is to be done is seen in the rows themselves, so nothing has to be remembered. A key is only replaced while it is still the
one that was read: whoever was erased meanwhile stays erased. The keys themselves, and what they seal, do not change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from leadgate.errors import VaultError
from leadgate.observability import get_logger
from leadgate.ports.custodian import Wrapped
from leadgate.ports.stores import Storage, Transaction, WrappedKey
from leadgate.vault.custodians import Custodians
from leadgate.vault.envelope import key_context

KEYS_AT_ONCE = 100
_log = get_logger("keys")


async def rewrap_keys(storage: Storage, custodian: Custodians, workspace_id: str) -> int:
    """Wrap every data key by the custodian's present generation; how many were wrapped anew.

    A key that does not open is left as it is, and the log says so.

    Raises:
        CustodianUnavailableError: the custodian cannot be asked now; the next call goes on.
        StorageUnavailableError: likewise.
    """
    done, after = 0, ""
    while True:
        primary = custodian.key_id()
        batch = await storage.read(
            lambda tx, after=after, primary=primary: tx.keys.wrapped_by_others(  # type: ignore[misc]  # the defaults bind this turn's values
                primary, after=after, limit=KEYS_AT_ONCE
            )
        )
        if not batch:
            return done
        pairs = await asyncio.to_thread(_wrap_anew, batch, custodian, workspace_id)
        done += await storage.write(lambda tx, pairs=pairs: _replace(tx, pairs))  # type: ignore[misc]  # as above
        after = batch[-1].scope


def _wrap_anew(
    batch: Sequence[WrappedKey], custodian: Custodians, workspace_id: str
) -> Sequence[tuple[WrappedKey, WrappedKey]]:
    pairs = []
    for old in batch:
        context = key_context(workspace_id, old.scope)
        try:
            data_key = custodian.unwrap(Wrapped(old.wrapped_key, old.wrapper_key_id), context)
        except VaultError as error:
            _log.error("keys.not_rewrapped", error_code=error.code)
            continue
        wrapped = custodian.wrap_for_good(data_key, context)
        new = WrappedKey(scope=old.scope, wrapped_key=wrapped.content, wrapper_key_id=wrapped.key_id)
        pairs.append((old, new))
    return pairs


def _replace(tx: Transaction, pairs: Sequence[tuple[WrappedKey, WrappedKey]]) -> int:
    return sum(tx.keys.rewrap(old, new) for old, new in pairs)
