"""The register of consents, its texts, and how far the audit journal has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BindParameter, Row, bindparam, delete, func, insert, select

from leadgate.model.consents import ConsentCount, ConsentPurpose, ConsentText, Decision
from leadgate.ports.stores.consents import OldTold, StoredConsent
from leadgate.storage.base import LIMIT, SqlStore, TolerantInsert, given, insert_or, of_workspace
from leadgate.storage.schema import consent_journaled, consent_register, consent_texts, consents, workspaces

_LINES = consent_register.c
_SUBJECTS: BindParameter[Any] = bindparam("subject_ids", expanding=True)
# SQLite has one writer and leaves FOR UPDATE away.
_LOCK = select(workspaces.c.workspace_id).where(of_workspace(workspaces)).with_for_update()
_ADD = insert(consent_register)
_OURS = select(consent_register).where(of_workspace(consent_register))
_FIND = _OURS.where(given(_LINES.number))
_OF_SUBJECTS = _OURS.where(_LINES.subject_id.in_(_SUBJECTS)).order_by(_LINES.number)
_AFTER = _OURS.where(_LINES.number > bindparam("after")).order_by(_LINES.number).limit(LIMIT)
_NEWEST = _OURS.where(_LINES.number < bindparam("before")).order_by(_LINES.number.desc()).limit(LIMIT)
_NEWEST_OF_SUBJECTS = (
    _OURS.where(_LINES.number < bindparam("before"), _LINES.subject_id.in_(_SUBJECTS))
    .order_by(_LINES.number.desc())
    .limit(LIMIT)
)
_LAST_OF_EACH = (
    select(func.max(_LINES.number))
    .where(of_workspace(consent_register))
    .group_by(_LINES.subject_id, _LINES.purpose)
    .scalar_subquery()
)
_COUNTS = (
    select(_LINES.purpose, _LINES.decision, func.count().label("people"))
    .where(of_workspace(consent_register), _LINES.number.in_(_LAST_OF_EACH))
    .group_by(_LINES.purpose, _LINES.decision)
    .order_by(_LINES.purpose, _LINES.decision)
)
_PAST_EVERY_NUMBER = 2**62


def _move_on(new: TolerantInsert) -> TolerantInsert:
    return new.on_conflict_do_update(index_elements=["workspace_id"], set_={"number": new.excluded.number})


_NOTE_JOURNALED = insert_or(consent_journaled, _move_on)
_JOURNALED = select(consent_journaled.c.number).where(of_workspace(consent_journaled))

_ADD_TEXT = insert(consent_texts)
_OUR_TEXTS = select(consent_texts).where(of_workspace(consent_texts))
_FIND_TEXT = _OUR_TEXTS.where(given(consent_texts.c.text_id))
_NEWEST_TEXT = (
    _OUR_TEXTS.where(given(consent_texts.c.purpose), given(consent_texts.c.locale))
    .order_by(consent_texts.c.version.desc())
    .limit(1)
)
_TEXTS = _OUR_TEXTS.order_by(consent_texts.c.purpose, consent_texts.c.locale, consent_texts.c.version.desc())

_OLD_TOLD = (
    select(consents).where(of_workspace(consents)).order_by(consents.c.recorded_at, consents.c.event_id).limit(LIMIT)
)
_FORGET_OLD_TOLD = delete(consents).where(
    of_workspace(consents), consents.c.event_id.in_(bindparam("event_ids", expanding=True))
)


class SqlConsentStore(SqlStore):
    """See `ports.stores.ConsentStore`."""

    def lock(self) -> None:
        """By the row of the workspace."""
        self._run(_LOCK).all()

    def add(self, line: StoredConsent) -> None:
        """Append a line."""
        self._keep(
            _ADD,
            number=line.number,
            subject_id=line.subject_id,
            purpose=line.purpose.value,
            decision=line.decision.value,
            decided_at=line.decided_at,
            recorded_at=line.recorded_at,
            text_id=line.text_id,
            text_hash=None if line.text_hash is None else bytes.fromhex(line.text_hash),
            message_id=line.message_id,
            event_id=line.event_id,
            sealed_details=line.sealed_details,
            record_hash=line.record_hash,
        )

    def find(self, number: int) -> StoredConsent | None:
        """One line."""
        row = self._one(_FIND, for_number=number)
        return None if row is None else _line(row)

    def newest(
        self, *, limit: int, before: int | None = None, subject_ids: Sequence[str] | None = None
    ) -> Sequence[StoredConsent]:
        """Newest first."""
        bound = _PAST_EVERY_NUMBER if before is None else before
        if subject_ids is None:
            return [_line(row) for row in self._run(_NEWEST, before=bound, limit=limit)]
        rows = self._run(_NEWEST_OF_SUBJECTS, before=bound, limit=limit, subject_ids=list(subject_ids))
        return [_line(row) for row in rows]

    def of_subjects(self, subject_ids: Sequence[str]) -> Sequence[StoredConsent]:
        """The earliest first."""
        return [_line(row) for row in self._run(_OF_SUBJECTS, subject_ids=list(subject_ids))]

    def after(self, number: int, *, limit: int) -> Sequence[StoredConsent]:
        """In order."""
        return [_line(row) for row in self._run(_AFTER, after=number, limit=limit)]

    def head(self) -> StoredConsent | None:
        """The last line."""
        newest = self.newest(limit=1)
        return newest[0] if newest else None

    def counts(self) -> Sequence[ConsentCount]:
        """By the last line of each person and purpose."""
        return [
            ConsentCount(purpose=ConsentPurpose(row.purpose), decision=Decision(row.decision), people=row.people)
            for row in self._run(_COUNTS)
        ]

    def journaled(self) -> int:
        """0 when the journal has none."""
        number: int | None = self._run(_JOURNALED).scalar()
        return number or 0

    def note_journaled(self, number: int) -> None:
        """Move on."""
        self._keep(_NOTE_JOURNALED, number=number)

    def add_text(self, text: ConsentText) -> None:
        """Keep a version."""
        self._keep(
            _ADD_TEXT,
            text_id=text.text_id,
            purpose=text.purpose.value,
            locale=text.locale,
            version=text.version,
            body=text.text,
            text_hash=bytes.fromhex(text.text_hash),
            since=text.since,
            made_by=text.made_by,
        )

    def find_text(self, text_id: str) -> ConsentText | None:
        """One version."""
        row = self._one(_FIND_TEXT, for_text_id=text_id)
        return None if row is None else _text(row)

    def newest_text(self, purpose: ConsentPurpose, locale: str) -> ConsentText | None:
        """The last version."""
        row = self._one(_NEWEST_TEXT, for_purpose=purpose.value, for_locale=locale)
        return None if row is None else _text(row)

    def texts(self) -> Sequence[ConsentText]:
        """Every version."""
        return [_text(row) for row in self._run(_TEXTS)]

    def old_told(self, *, limit: int) -> Sequence[OldTold]:
        """From before the register."""
        return [
            OldTold(
                event_id=row.event_id,
                subject_id=row.subject_id,
                policy_version=row.policy_version,
                given_at=row.given_at,
                recorded_at=row.recorded_at,
            )
            for row in self._run(_OLD_TOLD, limit=limit)
        ]

    def forget_old_told(self, event_ids: Sequence[str]) -> None:
        """They stand in the register."""
        self._run(_FORGET_OLD_TOLD, event_ids=list(event_ids))


def _line(row: Row[Any]) -> StoredConsent:
    return StoredConsent(
        number=row.number,
        subject_id=row.subject_id,
        purpose=ConsentPurpose(row.purpose),
        decision=Decision(row.decision),
        decided_at=row.decided_at,
        recorded_at=row.recorded_at,
        text_id=row.text_id,
        text_hash=None if row.text_hash is None else bytes(row.text_hash).hex(),
        message_id=row.message_id,
        event_id=row.event_id,
        sealed_details=bytes(row.sealed_details),
        record_hash=bytes(row.record_hash),
    )


def _text(row: Row[Any]) -> ConsentText:
    return ConsentText(
        text_id=row.text_id,
        purpose=ConsentPurpose(row.purpose),
        locale=row.locale,
        version=row.version,
        text=row.body,
        text_hash=bytes(row.text_hash).hex(),
        since=row.since,
        made_by=row.made_by,
    )
