"""The two notices as rows of a label and a value: for the paper, and as text to copy into Roskomnadzor's form.

What only a person can know stays a line to fill in; nothing here is a legal assessment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from leadgate.catalogue.texts import Texts, load_texts
from leadgate.model.incidents import Incident, Notice, Story

Row = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeFacts:
    """What a notice is made of."""

    incident: Incident
    story: Story
    salon: str
    connection: str | None
    frozen_since: datetime | None
    now: datetime


class NoticeWords:
    """Writes the notices in one language."""

    def __init__(self, locale: str, zone: tzinfo) -> None:
        """Times are in this zone."""
        self._texts: Texts = load_texts("incident", locale)
        self._zone = zone

    def rows(self, notice: Notice, facts: NoticeFacts) -> Sequence[Row]:
        """Every row of a notice, in the order of the form."""
        incident, story = facts.incident, facts.story
        rows = [
            *self._operator(facts.salon),
            ("found_at", self._time(incident.found_at)),
            ("what", self._own(story.what)),
            ("data", self._data(facts)),
            ("persons", self._persons(facts)),
            ("causes", self._own(story.causes)),
            ("harm", self._own(story.harm)),
            ("measures", self._measures(facts)),
        ]
        if notice is Notice.RESULT:
            rows += [("first_notice", self._first(incident)), ("culprits", self._own(story.culprits))]
        rows.append(("contact", self._own(story.contact)))
        return [(self._texts.get(f"notice.{name}"), value) for name, value in rows]

    def text(self, notice: Notice, facts: NoticeFacts) -> str:
        """The notice as plain text."""
        lines = [self._title(notice)]
        if facts.incident.is_drill:
            lines.insert(0, self._texts.get("notice.drill"))
        lines += [f"{label}: {value}" for label, value in self.rows(notice, facts)]
        return "\n".join(lines) + "\n"

    def paper(self, notice: Notice, facts: NoticeFacts) -> dict[str, object]:
        """What the template prints."""
        texts = self._texts
        deadline = self._time(facts.incident.deadline(notice))
        return {
            "title": self._title(notice),
            "salon": facts.salon,
            "made": texts.get("notice.made", at=self._time(facts.now)),
            "drill": texts.get("notice.drill") if facts.incident.is_drill else "",
            "deadline": texts.get("notice.deadline", at=deadline),
            "rows": [list(row) for row in self.rows(notice, facts)],
            "note": texts.get("notice.note"),
            "signature": texts.get("notice.signature"),
        }

    def _title(self, notice: Notice) -> str:
        return self._texts.get(f"notice.title.{notice.value}")

    def _operator(self, salon: str) -> list[Row]:
        return [("operator", salon), ("operator_ids", self._blank()), ("operator_address", self._blank())]

    def _data(self, facts: NoticeFacts) -> str:
        affected = facts.incident.affected
        if affected is None:
            return self._blank()
        kinds = [
            self._texts.get("notice.identifier", kind=self._texts.get(f"identifier.{kind}"), count=str(count))
            for kind, count in affected.identifiers.items()
            if self._texts.has(f"identifier.{kind}")
        ]
        words = "health" if affected.health else "words" if affected.messages else ""
        return "; ".join([*kinds, *([self._texts.get(f"notice.{words}")] if words else [])]) or self._blank()

    def _persons(self, facts: NoticeFacts) -> str:
        affected = facts.incident.affected
        if affected is None:
            return self._blank()
        texts = self._texts
        scope = [texts.get("notice.scope.connection", name=facts.connection)] if facts.connection else []
        if affected.since is not None:
            scope.append(texts.get("notice.scope.since", at=self._time(affected.since)))
        if affected.until is not None:
            scope.append(texts.get("notice.scope.until", at=self._time(affected.until)))
        where = ", ".join(scope) or texts.get("notice.scope.all")
        return texts.get(
            "notice.counted",
            persons=str(affected.persons),
            identifiers=str(affected.all_identifiers),
            scope=where,
            at=self._time(affected.counted_at),
        )

    def _measures(self, facts: NoticeFacts) -> str:
        frozen = (
            self._texts.get("notice.frozen", at=self._time(facts.frozen_since))
            if facts.frozen_since is not None
            else ""
        )
        own = facts.story.measures
        return " ".join(part for part in (frozen, own) if part) or self._blank()

    def _first(self, incident: Incident) -> str:
        sent = incident.sent.get(Notice.FIRST)
        if sent is None:
            return self._blank()
        return self._texts.get("notice.sent", number=sent.number, at=self._time(sent.at))

    def _own(self, words: str) -> str:
        return words or self._blank()

    def _blank(self) -> str:
        return self._texts.get("notice.blank")

    def _time(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%d.%m.%Y %H:%M %Z}".strip()
