"""The map in the salon's language: what its page, its paper and its command say of a row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from leadgate.catalogue.texts import load_texts
from leadgate.model.recipients import DataKind, DataMap, Place, Recipient
from leadgate.ports.stores import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldRecipient:
    """A row in words; lists are joined."""

    row: Recipient
    role: str
    title: str
    place: str
    standing: str
    purpose: str
    basis: str
    goes: str
    comes: str
    source: str
    decision: str


class MapWords:
    """Tells rows in one language."""

    def __init__(self, workspace: Workspace, locale: str | None = None) -> None:
        """In the salon's language unless another is named."""
        self._workspace = workspace
        self._zone = ZoneInfo(workspace.time_zone)
        self._locale = locale or workspace.locale
        self._file = load_texts("flows", self._locale)

    def tell(self, row: Recipient) -> ToldRecipient:
        """One row."""
        said = self._file
        role = said.get(f"role.{row.role.value}")
        standing = said.get(f"standing.{row.standing.value}")
        return ToldRecipient(
            row=row,
            role=role,
            title=row.title or role,
            place=self._place(row),
            standing=f"{standing}, {said.get('paused')}" if row.is_paused else standing,
            purpose=said.get(f"purpose.{row.role.value}"),
            basis=said.get(f"basis.{row.role.value}"),
            goes=self._goes(row),
            comes=self._kinds(row.comes),
            source=self._source(row),
            decision=self._decision(row),
        )

    def paper(self, drawn: DataMap) -> dict[str, object]:
        """What the paper prints: texts alone."""
        said = self._file
        told = [self.tell(row) for row in drawn.recipients]
        return {
            "title": said.get("paper.title"),
            "salon": self._workspace.name,
            "made": said.get("paper.made", at=self._time(drawn.made_at)),
            "note": said.get("paper.note", checked_on=_checked_on(drawn)),
            "signature": said.get("paper.signature"),
            "rows": [
                {"name": f"{one.role}: {one.title}" if one.title != one.role else one.role, "facts": self._facts(one)}
                for one in told
            ],
        }

    def _facts(self, one: ToldRecipient) -> list[list[str]]:
        row, said = one.row, self._file
        facts = [
            ("standing", one.standing),
            ("host", row.host),
            ("place", one.place),
            ("goes", one.goes),
            ("comes", one.comes if row.comes else ""),
            ("purpose", one.purpose),
            ("basis", one.basis),
            ("decision", one.decision),
            ("since", "" if row.since is None else self._time(row.since)),
            ("source", one.source),
        ]
        return [[said.get(f"paper.{name}"), value] for name, value in facts if value]

    def _place(self, row: Recipient) -> str:
        if row.country and self._file.has(f"country.{row.country}"):
            return self._file.get(f"country.{row.country}")
        place = self._file.get(f"place.{row.place.value}")
        return f"{place} ({row.country})" if row.country and row.place is not Place.RUSSIA else place

    def _goes(self, row: Recipient) -> str:
        """Kinds with a field of their own, and what of the client's words passes the filter."""
        kinds = self._kinds(row.goes)
        passing = [self._file.get(f"label.{label}") for label in row.labels if self._file.has(f"label.{label}")]
        if not passing or DataKind.WORDS not in row.goes:
            return kinds
        return f"{kinds}. {self._file.get('passing', kinds=', '.join(passing))}"

    def _source(self, row: Recipient) -> str:
        source = row.facts.source if self._locale == "en" else row.facts.source_ru
        return ", ".join(part for part in (source, row.facts.checked_on) if part)

    def _kinds(self, kinds: Sequence[DataKind]) -> str:
        return ", ".join(self._file.get(f"kind.{kind.value}") for kind in kinds) or self._file.get("nothing")

    def _decision(self, row: Recipient) -> str:
        decision = row.decision
        if decision is None:
            return ""
        by = self._file.get("by.command") if decision.decided_by == "command" else decision.decided_by
        parts = [decision.reason, self._time(decision.decided_at), by]
        if decision.rkn_notice:
            parts.append(self._file.get("paper.rkn", number=decision.rkn_notice))
        return ", ".join(parts)

    def _time(self, at: datetime) -> str:
        return f"{at.astimezone(self._zone):%d.%m.%Y %H:%M}"


def _checked_on(drawn: DataMap) -> str:
    return max((row.facts.checked_on for row in drawn.recipients if row.facts.checked_on), default="—")
