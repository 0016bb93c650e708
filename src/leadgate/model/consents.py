"""Consents: what a person may agree to, what they answered, and the exact words that they were shown.

A consent is given for one purpose, to one text in one version. What is kept of it is the register's business (`crm.consent`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ConsentPurpose(StrEnum):
    """What a consent is for. Each has its own text, its own message and its own button."""

    PROCESSING = "processing"
    PASSING_ON = "passing_on"
    ADVERTISING = "advertising"


class Decision(StrEnum):
    """What a person decided; `told`: a bot builder says that they agreed there, to a text that we have not shown."""

    GIVEN = "given"
    TOLD = "told"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"

    @property
    def stands(self) -> bool:
        """True for an agreement."""
        return self in (Decision.GIVEN, Decision.TOLD)


class How(StrEnum):
    """By what the person decided: a button of ours, own words, a switch of the messenger, or elsewhere.

    Buttons of some messengers do no more than write their title, so exactly the title counts as the button.
    """

    BUTTON = "button"
    WORDS = "words"
    MESSENGER = "messenger"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentText:
    """One version of a text; it never changes, a new wording is a new version.

    Attributes:
        text_id: `ctext_…`; empty for the product's own text before it was first shown.
        version: from 1 within purpose and language.
        text_hash: SHA-256 of the text's UTF-8 bytes, in hex.
        since: from when on it was shown; None before.
        made_by: a staff id, `command`, `token:…`, or `product` for our own wording.
    """

    text_id: str
    purpose: ConsentPurpose
    locale: str
    version: int
    text: str
    text_hash: str
    since: datetime | None
    made_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Which text was put before a person, and in which message of ours."""

    purpose: ConsentPurpose
    text_id: str
    text_hash: str
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecord:
    """One line of the register, opened.

    Attributes:
        number: from 1, without a gap.
        decided_at: when the person said so; recorded_at: when we wrote it down.
        text_id, text_hash, message_id: what was decided on; None where nothing of ours was shown.
        event_id: the client's own.
        channel, how, words: None after the person was erased; `words` are the client's answer.
        told_version: how a bot builder names its text.
        record_hash: over this line and the one before it, in hex.
    """

    number: int
    subject_id: str
    purpose: ConsentPurpose
    decision: Decision
    decided_at: datetime
    recorded_at: datetime
    text_id: str | None
    text_hash: str | None
    message_id: str | None
    event_id: str
    channel: str | None
    how: How | None
    words: str | None
    told_version: str | None
    record_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRule:
    """What the owner decided about asking.

    Attributes:
        asks_processing: the bot asks for consent before it asks for name and phone; else it says what they are for, and the
            basis is the person's own request.
        advertises: the salon sends news and discounts, so consent to them is asked for when a request is complete.
        passes_on_to: to whom the salon hands data on, by name; empty when to nobody, then nothing is asked.
    """

    asks_processing: bool = True
    advertises: bool = False
    passes_on_to: str = ""

    def wants(self, purpose: ConsentPurpose) -> bool:
        """True when this consent is asked for."""
        return {
            ConsentPurpose.PROCESSING: self.asks_processing,
            ConsentPurpose.PASSING_ON: bool(self.passes_on_to),
            ConsentPurpose.ADVERTISING: self.advertises,
        }[purpose]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentCount:
    """For how many people a purpose stands at this decision now."""

    purpose: ConsentPurpose
    decision: Decision
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentOverview:
    """Where the salon stands.

    Attributes:
        texts: what would be shown now, for every purpose and language.
        versions: every version that was ever shown or written, the newest of each first.
        waiting: lines that the audit journal does not have yet.
    """

    rule: ConsentRule
    counts: Sequence[ConsentCount]
    texts: Sequence[ConsentText]
    versions: Sequence[ConsentText]
    records: int
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a check of the whole register found.

    Attributes:
        records: how many lines were read; `matched` of them name a text of ours whose words, still kept in the chat, are the
            version byte by byte.
        gone: lines whose message can be read no more (the person was erased, or the term of chats is over); version and hash
            still stand.
        told: lines of bot builders, which name no text of ours.
        wordless: refusals and withdrawals without a text of ours before them.
        journaled: lines that the audit journal confirms.
        bad_number: the first line that does not fit; None when all do.
        fault: what is wrong with it, a code: `chain`, `text`, `message`, `order`, `journal`, `missing`.
        head: the hash of the last line, in hex; empty when there is none.
    """

    records: int
    matched: int
    gone: int
    told: int
    wordless: int
    journaled: int
    bad_number: int | None
    fault: str | None
    head: str
