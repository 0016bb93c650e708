"""What a person's file says of their requests about their own data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadgate.catalogue.texts import load_texts
from leadgate.ports.stores import Transaction
from leadgate.rights.gathering import Part
from leadgate.rights.requests import RequestBook

TABLES = ("subject_requests", "request_steps")


def make_request_part(book: RequestBook) -> Part:
    """Every request of the person, with their words and without who of the staff worked on it."""

    def read(tx: Transaction, subject_ids: Sequence[str]) -> Sequence[Mapping[str, str]]:
        return [
            {
                "request": request.request_id,
                "kind": request.kind.value,
                "way": request.way.value,
                "received_at": request.received_at.isoformat(),
                "due_on": request.due_on.isoformat(),
                "outcome": "" if request.outcome is None else request.outcome.value,
                "words": book.read(tx, request).words or "",
            }
            for request in tx.requests.of_subjects(subject_ids)
        ]

    title = load_texts("person", "ru").get("part.requests")
    return Part(name="requests", title=title, tables=TABLES, read=read)
