"""Consents: who decided what on which text. What the person wrote is shown to those alone who may see a client's words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from leadgate.model.consents import (
    ConsentOverview,
    ConsentPurpose,
    ConsentRecord,
    ConsentRule,
    ConsentText,
    Decision,
    How,
    Proof,
)
from leadgate.web.api.documents.plain import Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentDocument:
    """A line of the register.

    Attributes:
        subject: id of the person.
        text, text_hash, message: version, SHA-256 of its bytes, our message that showed it; null where nothing of ours was shown.
        event: the client's answer.
        channel, how: null after the person was erased.
        hash: over this line and the one before.
    """

    number: int
    subject: str
    purpose: ConsentPurpose
    decision: Decision
    decided_at: Moment
    recorded_at: Moment
    text: str | None
    text_hash: str | None
    message: str | None
    event: str
    channel: str | None
    how: How | None
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentTextDocument:
    """A version of a text. `id` and `since` are null before it was first shown; `by` is `product` for our own wording."""

    id: str | None
    purpose: ConsentPurpose
    locale: str
    version: int
    text: str
    text_hash: str
    since: Moment | None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentDetailDocument:
    """A line with the text that was shown.

    Attributes:
        words: the client's answer; null for roles that may not see it (`hidden`), and after the person was erased.
        told_version: how a bot builder names its text; likewise.
    """

    consent: ConsentDocument
    shown: ConsentTextDocument | None
    words: str | None
    told_version: str | None
    hidden: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRuleDocument:
    """What the bot asks for.

    Attributes:
        asks_processing: before name and phone; else it only says what they are for.
        advertises: consent to advertising is asked for when a request is complete.
        passes_on_to: to whom data are handed on; null for nobody.
    """

    asks_processing: bool
    advertises: bool
    passes_on_to: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentCountDocument:
    """For how many people a purpose stands at this decision."""

    purpose: ConsentPurpose
    decision: Decision
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentOverviewDocument:
    """Rule, counts and the texts that would be shown now. `not_journaled` lines are on their way into the audit journal."""

    rule: ConsentRuleDocument
    counts: Sequence[ConsentCountDocument]
    texts: Sequence[ConsentTextDocument]
    records: int
    not_journaled: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentProofDocument:
    """What a check of the whole register found.

    Attributes:
        matched: lines whose words, still kept in the chat, are the version byte by byte; `gone`: whose chat can be read no more;
            `told` by bot builders; `wordless` without a text of ours.
        bad: number of the first line that does not fit, `fault` why: `chain text message order journal missing`; null when all fit.
    """

    ok: bool
    records: int
    matched: int
    gone: int
    told: int
    wordless: int
    journaled: int
    bad: int | None
    fault: str | None
    head: str


def consent_document(record: ConsentRecord) -> ConsentDocument:
    """A line without anybody's words."""
    return ConsentDocument(
        number=record.number,
        subject=record.subject_id,
        purpose=record.purpose,
        decision=record.decision,
        decided_at=record.decided_at,
        recorded_at=record.recorded_at,
        text=record.text_id,
        text_hash=record.text_hash,
        message=record.message_id,
        event=record.event_id,
        channel=record.channel,
        how=record.how,
        hash=record.record_hash,
    )


def consent_detail_document(
    record: ConsentRecord, text: ConsentText | None, *, may_reveal: bool
) -> ConsentDetailDocument:
    """A line with its text, and with the client's words for whom they are."""
    return ConsentDetailDocument(
        consent=consent_document(record),
        shown=None if text is None else consent_text_document(text),
        words=record.words if may_reveal else None,
        told_version=record.told_version if may_reveal else None,
        hidden=() if may_reveal else ("words", "told_version"),
    )


def consent_text_document(text: ConsentText) -> ConsentTextDocument:
    """A version."""
    return ConsentTextDocument(
        id=text.text_id or None,
        purpose=text.purpose,
        locale=text.locale,
        version=text.version,
        text=text.text,
        text_hash=text.text_hash,
        since=text.since,
        by=text.made_by,
    )


def consent_rule_document(rule: ConsentRule) -> ConsentRuleDocument:
    """The rule."""
    return ConsentRuleDocument(
        asks_processing=rule.asks_processing,
        advertises=rule.advertises,
        passes_on_to=rule.passes_on_to or None,
    )


def consent_overview_document(overview: ConsentOverview) -> ConsentOverviewDocument:
    """Where the salon stands."""
    return ConsentOverviewDocument(
        rule=consent_rule_document(overview.rule),
        counts=[
            ConsentCountDocument(purpose=count.purpose, decision=count.decision, people=count.people)
            for count in overview.counts
        ],
        texts=[consent_text_document(text) for text in overview.texts],
        records=overview.records,
        not_journaled=overview.waiting,
    )


def consent_proof_document(proof: Proof) -> ConsentProofDocument:
    """What the check found."""
    return ConsentProofDocument(
        ok=proof.bad_number is None,
        records=proof.records,
        matched=proof.matched,
        gone=proof.gone,
        told=proof.told,
        wordless=proof.wordless,
        journaled=proof.journaled,
        bad=proof.bad_number,
        fault=proof.fault,
        head=proof.head,
    )
