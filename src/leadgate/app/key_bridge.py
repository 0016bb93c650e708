"""The bridge over a custodian's absence: a data key of its own that is open in memory before it is needed."""

from __future__ import annotations

from leadgate.ports.stores import Transaction
from leadgate.vault.custodians import BRIDGE, Custodians
from leadgate.vault.envelope import Vault


def ensure_bridge(tx: Transaction, vault: Vault) -> None:
    """Make the key, unless it is there; the custodian wraps it like any other."""
    vault.ensure_scope(tx, BRIDGE)


def build_bridge(tx: Transaction, vault: Vault, custodians: Custodians) -> None:
    """Open the key and hold it, where there is one.

    Raises:
        CustodianUnavailableError: the custodian is away already.
    """
    if tx.keys.find(BRIDGE) is not None:
        custodians.build_bridge(vault.unwrap_key(tx, BRIDGE))
