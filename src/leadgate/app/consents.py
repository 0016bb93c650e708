"""Consents for pages, API and commands: the register, the texts, the rule, the proof; and the way of the register into the journal.

A decision of a client is written inside the transaction of their words, where nothing may wait for the journal. So the register is
the outbox: what it has and the journal does not is recorded after the commit, in order, and again after every start until it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from leadgate.app.one_node import as_only_node
from leadgate.audit.trail import recorded
from leadgate.catalogue.texts import LOCALES
from leadgate.crm.consent.register import Register
from leadgate.crm.consent.rule import RULE, check_recipient, read_rule, write_rule
from leadgate.crm.consent.texts import TextBook, check_text
from leadgate.crm.one_person import everyone
from leadgate.errors import ConfigurationError, ConflictError, NotFoundError
from leadgate.model.consents import (
    ConsentOverview,
    ConsentPurpose,
    ConsentRecord,
    ConsentRule,
    ConsentText,
    Decision,
    Proof,
)
from leadgate.model.journal import JournalEntry, Tag
from leadgate.model.views import Page
from leadgate.ports.clock import Clock
from leadgate.ports.journal import Journal
from leadgate.ports.stores import Storage, StoredConsent, Transaction
from leadgate.processing.consent_proof import Prover
from leadgate.vault.envelope import Vault

LANE = "consents.journal"
MAX_PAGE = 500
_AT_ONCE = 200
_JOURNAL_PAGE = 500
_TAGS = {
    Decision.GIVEN: Tag.CONSENT_GIVEN,
    Decision.TOLD: Tag.CONSENT_GIVEN,
    Decision.WITHDRAWN: Tag.CONSENT_WITHDRAWN,
}
"""A refusal changes nothing that anybody may do: it stands in the register alone."""


class ConsentDesk:
    """See the module."""

    def __init__(
        self,
        storage: Storage,
        vault: Vault,
        register: Register,
        texts: TextBook,
        *,
        journal: Journal,
        clock: Clock,
        holder: str,
    ) -> None:
        """`holder` is unique for the process: one node at a time brings the register into the journal."""
        self._storage = storage
        self._vault = vault
        self._register = register
        self._texts = texts
        self._journal = journal
        self._clock = clock
        self._holder = holder

    async def overview(self) -> ConsentOverview:
        """Rule, counts and texts."""

        def unit(tx: Transaction) -> ConsentOverview:
            head = tx.consents.head()
            records = 0 if head is None else head.number
            return ConsentOverview(
                rule=read_rule(tx),
                counts=tx.consents.counts(),
                texts=self._texts.standing(tx),
                versions=tx.consents.texts(),
                records=records,
                waiting=max(0, records - tx.consents.journaled()),
            )

        return await self._storage.read(unit)

    async def records(
        self, *, limit: int, cursor: str | None = None, subject_id: str | None = None
    ) -> Page[ConsentRecord]:
        """Newest first; of one person, whichever of their ids is named.

        Raises:
            ConfigurationError: the cursor is not one of ours.
        """
        before, limit = _read_cursor(cursor), max(1, min(limit, MAX_PAGE))

        def unit(tx: Transaction) -> Page[ConsentRecord]:
            people = None if subject_id is None else everyone(tx, subject_id)
            lines = tx.consents.newest(limit=limit + 1, before=before, subject_ids=people)
            more = str(lines[limit - 1].number) if len(lines) > limit else None
            return Page([self._register.open(tx, line) for line in lines[:limit]], more)

        return await self._storage.read(unit)

    async def record(self, number: int) -> tuple[ConsentRecord, ConsentText | None]:
        """One line with the text that was shown. Raises NotFoundError."""

        def unit(tx: Transaction) -> tuple[ConsentRecord, ConsentText | None]:
            line = tx.consents.find(number)
            if line is None:
                raise NotFoundError(f"There is no record {number}.", hint="See: leadgate consents list")
            return self._register.open(tx, line), tx.consents.find_text(line.text_id) if line.text_id else None

        return await self._storage.read(unit)

    async def write_text(self, purpose: ConsentPurpose, locale: str, text: str, *, by: str) -> ConsentText:
        """The salon's own words from now on, as a new version; who agreed to an older one agreed to that one.

        Raises:
            ConfigurationError: the words will not do (`crm.consent.texts.check_text`).
            ConflictError: these words stand already (`consent.text_same`).
            JournalUnavailableError: the change could not be journaled, so it was not made.
        """
        text = check_text(text, locale)
        await self._refuse_same(purpose, locale, text)
        details: dict[str, str | int] = {"purpose": purpose.value, "locale": locale}
        entry = JournalEntry(tag=Tag.CONSENT_TEXT_CHANGED, by=by, on=f"{purpose.value}.{locale}", details=details)
        async with recorded(self._journal, entry):
            at = self._clock.now()

            def unit(tx: Transaction) -> ConsentText:
                kept = self._texts.write(tx, purpose, locale, text, by=by, at=at)
                if kept is None:
                    raise _same_text()
                return kept

            return await self._storage.write(unit)

    async def set_rule(self, rule: ConsentRule, *, by: str) -> ConsentRule:
        """What is asked for from now on.

        Raises:
            ConfigurationError: the recipient's name will not do (`consent.recipient_wrong`).
            JournalUnavailableError: the change could not be journaled, so it was not made.
        """
        recipient = check_recipient(rule.passes_on_to)
        rule = ConsentRule(
            asks_processing=rule.asks_processing,
            advertises=rule.advertises,
            passes_on_to=recipient,
        )
        details: dict[str, str | int] = {
            "asks_processing": int(rule.asks_processing),
            "advertises": int(rule.advertises),
            "passes_on": int(bool(recipient)),
        }
        async with recorded(self._journal, JournalEntry(tag=Tag.POLICY_CHANGED, by=by, on=RULE, details=details)):
            at = self._clock.now()

            def unit(tx: Transaction) -> ConsentRule:
                write_rule(tx, rule, by=by, at=at)
                return rule

            return await self._storage.write(unit)

    async def change_rule(
        self, *, asks_processing: bool | None, advertises: bool | None, passes_on_to: str | None, by: str
    ) -> ConsentRule:
        """What is asked for from now on; None leaves a part as it is. Raises as `set_rule` does."""
        rule = await self._storage.read(read_rule)
        changed = ConsentRule(
            asks_processing=rule.asks_processing if asks_processing is None else asks_processing,
            advertises=rule.advertises if advertises is None else advertises,
            passes_on_to=rule.passes_on_to if passes_on_to is None else passes_on_to,
        )
        return await self.set_rule(changed, by=by)

    async def verify(self) -> Proof:
        """Read the whole register and prove it, or name the first line that does not fit.

        Raises:
            JournalUnavailableError: the audit journal cannot be read.
        """
        prover = Prover(self._vault, self._register, await self._hashes_in_journal())

        def unit(tx: Transaction) -> bool:
            return prover.read(tx, tx.consents.after(prover.number, limit=_AT_ONCE))

        while await self._storage.read(unit):
            pass
        return prover.proof()

    async def write_journal(self) -> int:
        """Bring what the audit journal lacks into it, and old tales into the register; returns how many entries were made.

        Raises:
            LeadgateError: database or journal could not be written; the next call goes on where this one stopped.
        """
        if not await self._storage.read(_has_work):
            return 0
        async with as_only_node(self._storage, LANE, holder=self._holder, clock=self._clock) as has_lease:
            if not has_lease:
                return 0
            while await self._storage.write(self._register.take_over):
                pass
            made = 0
            while lines := await self._storage.read(_unjournaled):
                made += await self._write_lines(lines)
            return made

    async def _write_lines(self, lines: Sequence[StoredConsent]) -> int:
        made = 0
        for line in lines:
            if line.decision in _TAGS and not await self._is_journaled(line):
                await self._journal.record(_entry(line))
                made += 1
            number = line.number
            await self._storage.write(lambda tx, number=number: tx.consents.note_journaled(number))  # type: ignore[misc]  # a default binds the loop's value
        return made

    async def _is_journaled(self, line: StoredConsent) -> bool:
        """A crash between journal and mark must not make a second entry."""
        rows = await self._journal.newest(limit=_AT_ONCE, on=line.subject_id)
        return any(row.entry.details.get("hash") == line.record_hash.hex() for row in rows)

    async def _hashes_in_journal(self) -> dict[int, str]:
        found: dict[int, str] = {}
        before: int | None = None
        while rows := await self._journal.newest(limit=_JOURNAL_PAGE, before=before):
            for row in rows:
                number, line_hash = row.entry.details.get("record"), row.entry.details.get("hash")
                if row.entry.tag in _TAGS.values() and isinstance(number, int) and isinstance(line_hash, str):
                    found[number] = line_hash
            before = rows[-1].number
        return found

    async def _refuse_same(self, purpose: ConsentPurpose, locale: str, text: str) -> None:
        current = await self._storage.read(lambda tx: tx.consents.newest_text(purpose, locale))
        if current is not None and current.text == text:
            raise _same_text()


def read_purpose(word: str) -> ConsentPurpose:
    """The purpose of this name.

    Raises:
        ConfigurationError: there is none.
    """
    try:
        return ConsentPurpose(word)
    except ValueError:
        known = ", ".join(purpose.value for purpose in ConsentPurpose)
        raise ConfigurationError(
            "There is no consent for such a purpose.", code="consent.purpose_unknown", hint=f"Purposes: {known}."
        ) from None


def read_locale(word: str) -> str:
    """The language of this name.

    Raises:
        ConfigurationError: the bot does not speak it.
    """
    if word not in LOCALES:
        raise ConfigurationError(f"The bot speaks {' and '.join(LOCALES)} only.", code="consent.locale_unknown")
    return word


def _has_work(tx: Transaction) -> bool:
    head = tx.consents.head()
    return bool(tx.consents.old_told(limit=1)) or (head is not None and head.number > tx.consents.journaled())


def _unjournaled(tx: Transaction) -> Sequence[StoredConsent]:
    return tx.consents.after(tx.consents.journaled(), limit=_AT_ONCE)


def _entry(line: StoredConsent) -> JournalEntry:
    return JournalEntry(
        tag=_TAGS[line.decision],
        by=f"client:{line.subject_id}",
        on=line.subject_id,
        details={
            "record": line.number,
            "purpose": line.purpose.value,
            "decision": line.decision.value,
            "text": line.text_id or "",
            "event": line.event_id,
            "hash": line.record_hash.hex(),
        },
    )


def _same_text() -> ConflictError:
    return ConflictError("These words stand already.", code="consent.text_same", hint="Nothing has to be done.")


def _read_cursor(cursor: str | None) -> int | None:
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 16):  # noqa: PLR2004 - more lines than any register has
        raise ConfigurationError(
            "This cursor is not one of ours.", code="page.cursor_wrong", hint="Take `next` of the page before."
        )
    return int(cursor)
