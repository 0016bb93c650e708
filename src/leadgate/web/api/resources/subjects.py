"""People and their rights: find, show, reveal, export, correct, block.

Who looked is in the journal; nothing of a person is kept as an answer, and what is searched for travels in the body alone.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from leadgate.errors import FieldProblem
from leadgate.model.person_file import PersonFile
from leadgate.model.subjects import Blocked, BlockReason, Corrected, Unblocked
from leadgate.rights.finding import LONGEST_IDENTIFIER
from leadgate.rights.values import MAX_NAME_LENGTH, find_wrong, make_values
from leadgate.web.access import Act
from leadgate.web.api.documents.subjects import (
    BlockedDocument,
    CorrectedDocument,
    FoundDocument,
    SubjectDocument,
    UnblockedDocument,
    blocked_document,
    corrected_document,
    subject_document,
    unblocked_document,
)
from leadgate.web.api.endpoint import Call, Nothing, asks, reads, writes
from leadgate.web.api.reading import InvalidRequestError


class SearchBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Who is meant: a phone in any writing, an e-mail, a user name, an id in a messenger, or an id of ours."""

    identifier: Annotated[str, Meta(min_length=1, max_length=LONGEST_IDENTIFIER)]


class CorrectBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is right; what is left out, null or empty stays as it is. `phone` in any writing."""

    name: Annotated[str, Meta(max_length=MAX_NAME_LENGTH)] | None = None
    phone: Annotated[str, Meta(max_length=64)] | None = None
    email: Annotated[str, Meta(max_length=320)] | None = None


class BlockBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Why; it stands in the journal."""

    reason: BlockReason = BlockReason.REQUEST


async def search_subjects(call: Call[Nothing, SearchBody]) -> FoundDocument:
    """Find a person; the search is in the journal, what was searched for is not."""
    return FoundDocument(subject=await call.house.subjects.find(call.body.identifier, by=call.by))


async def show_subject(call: Call[Nothing, Nothing]) -> SubjectDocument:
    """A person, masked: where they write, how much is held, what became of corrections."""
    return subject_document(await call.house.subjects.card(call.names["subject_id"], by=call.by))


async def reveal_subject(call: Call[Nothing, Nothing]) -> SubjectDocument:
    """The same with name, phone and e-mail in full."""
    return subject_document(await call.house.subjects.card(call.names["subject_id"], by=call.by, is_open=True))


async def export_subject(call: Call[Nothing, Nothing]) -> PersonFile:
    """Everything that is held of a person, here and in the CRM."""
    return await call.house.subjects.export(call.names["subject_id"], by=call.by)


async def correct_subject(call: Call[Nothing, CorrectBody]) -> Corrected:
    """Put name, phone or e-mail right, here and in the CRM."""
    given = {name: (getattr(call.body, name) or "").strip() for name in ("name", "phone", "email")}
    if wrong := find_wrong(given):
        raise InvalidRequestError(*(FieldProblem(name, "cannot be right") for name in sorted(wrong)))
    return await call.house.subjects.correct(call.names["subject_id"], make_values(given), by=call.by)


def _corrected(_call: Call[Nothing, CorrectBody], done: Corrected) -> CorrectedDocument:
    return corrected_document(done)


async def block_subject(call: Call[Nothing, BlockBody]) -> Blocked:
    """Hold back everything about a person at once; all of it is kept."""
    return await call.house.subjects.block(call.names["subject_id"], call.body.reason, by=call.by)


def _blocked(_call: Call[Nothing, BlockBody], done: Blocked) -> BlockedDocument:
    return blocked_document(done)


async def unblock_subject(call: Call[Nothing, Nothing]) -> Unblocked:
    """Let everything about a person go on."""
    return await call.house.subjects.unblock(call.names["subject_id"], by=call.by)


def _unblocked(_call: Call[Nothing, Nothing], done: Unblocked) -> UnblockedDocument:
    return unblocked_document(done)


ENDPOINTS = (
    asks("/subjects", search_subjects, act=Act.PRIVACY),
    reads("/subjects/{subject_id}", show_subject),
    asks("/subjects/{subject_id}/reveal", reveal_subject, act=Act.PRIVACY),
    asks("/subjects/{subject_id}/export", export_subject, act=Act.PRIVACY),
    writes("/subjects/{subject_id}/correct", correct_subject, _corrected, act=Act.PRIVACY),
    writes("/subjects/{subject_id}/block", block_subject, _blocked, act=Act.PRIVACY, is_one_commit=False),
    writes("/subjects/{subject_id}/unblock", unblock_subject, _unblocked, act=Act.PRIVACY),
)
