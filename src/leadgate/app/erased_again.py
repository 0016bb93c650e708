"""The lists of people who were erased, joined for a restore: a copy of the database does not know of them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from leadgate.app.erased_list import ErasedLine
from leadgate.model.erasures import Erasure, ErasureReason, OrderState
from leadgate.ports.stores import Transaction
from leadgate.rights.erasure import erase_rows


def join_erased(*lists: Iterable[ErasedLine]) -> list[ErasedLine]:
    """All of them, each erasure once with everybody whom any list names for it, the earliest first."""
    joined: dict[str, ErasedLine] = {}
    for erased in (one for several in lists for one in several):
        known = joined.get(erased.erasure, erased)
        joined[erased.erasure] = ErasedLine(
            erasure=erased.erasure,
            at=min(erased.at, known.at),
            subjects=tuple(sorted({*erased.subjects, *known.subjects})),
            events=tuple(sorted({*erased.events, *known.events})),
            spares_crm=erased.spares_crm and known.spares_crm,
        )
    return sorted(joined.values(), key=lambda one: (one.at, one.erasure))


def write_erased(erased: Iterable[ErasedLine]) -> bytes:
    """The list as it stands in the file."""
    return b"".join(msgspec.json.encode(one) + b"\n" for one in erased)


def erase_again(tx: Transaction, line: ErasedLine) -> None:
    """Erase who comes back with a backup. The order to the CRM is made by the first worker that follows erasures.

    A person who is not in the backup, or was erased in it already, is passed over.
    """
    erased = erase_rows(tx, line.subjects, at=line.at, event_ids=line.events)
    if not erased.keys or tx.erasures.find(line.erasure) is not None:
        return
    needs_order = bool(erased.leads) and not line.spares_crm
    tx.erasures.add(
        Erasure(
            erasure_id=line.erasure,
            number=0,
            subject_ids=erased.subject_ids,
            reason=ErasureReason.PURPOSE_REACHED if line.spares_crm else ErasureReason.REQUEST,
            by="system",
            at=line.at,
            keys=erased.keys,
            rows=erased.counts,
            delivery_ids=(),
            order=OrderState.OPEN if needs_order else OrderState.NONE,
            error_code=None,
        )
    )
