"""Finding entries of timelines by the id in their text: the timeline has no field for an id of ours. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from leadgate.integrations.bitrix24.batch import MAX_COMMANDS, BatchAnswer, Command
from leadgate.integrations.bitrix24.client import PortalClient
from leadgate.integrations.bitrix24.errors import GONE_CODES, Failure, unclear
from leadgate.integrations.bitrix24.shapes import as_id, as_rows, as_text
from leadgate.integrations.bitrix24.texts import has_entry
from leadgate.model.leads import LeadRef
from leadgate.model.outcomes import Delivered, NotExecuted, Outcome, RetryLater, Scope

_MAX_PAGES = 200
_TOO_LONG = RetryLater("bitrix24.timeline_too_long", Scope.ITEM, needs_person=True)

Place = tuple[LeadRef, str]
"""A lead and the id of an entry that is looked for in its timeline."""


async def find_entries(client: PortalClient, wanted: Iterable[Place]) -> Mapping[Place, Outcome]:
    """Delivered, NotExecuted or RetryLater for each place; pages of up to 50 leads go in one request."""
    hunt = _Hunt(wanted)
    for _ in range(_MAX_PAGES):
        refs = hunt.open_refs()[:MAX_COMMANDS]
        if not refs:
            break
        commands = {f"t{ref.entity.value}{ref.crm_id}": ref for ref in refs}
        asked = [_list_comments(key, ref, hunt.starts[ref]) for key, ref in commands.items()]
        answer = await client.batch(asked, halt=False)
        if isinstance(answer, Failure):
            hunt.give_up(answer)
            break
        for key, ref in commands.items():
            hunt.read(ref, answer, key)
    return hunt.found


class _Hunt:
    """What is still looked for, and from which comment on; a lead is over when nothing of it is left."""

    def __init__(self, wanted: Iterable[Place]) -> None:
        self.found: dict[Place, Outcome] = dict.fromkeys(wanted, _TOO_LONG)
        self.starts: dict[LeadRef, int] = {ref: 0 for ref, _ in self.found}

    def open_refs(self) -> list[LeadRef]:
        return list(self.starts)

    def give_up(self, failure: Failure) -> None:
        """The portal could not be asked: nothing that is left is settled."""
        for ref in self.open_refs():
            self._close(ref, failure.outcome(wrote=False))

    def read(self, ref: LeadRef, answer: BatchAnswer, key: str) -> None:
        """Take one page in; comments come newest first."""
        value = answer.values[key]
        if isinstance(value, Failure):
            self._close(ref, NotExecuted() if value.code in GONE_CODES else value.outcome(wrote=False))
        elif not isinstance(value, list):
            self._close(ref, unclear("answer_unreadable").outcome(wrote=False))
        else:
            for row in as_rows(value):
                self._match(ref, row)
            if key in answer.nexts and self._left(ref):
                self.starts[ref] = answer.nexts[key]
            else:
                self._close(ref, NotExecuted())

    def _match(self, ref: LeadRef, row: Mapping[str, object]) -> None:
        text = as_text(row.get("COMMENT"))
        for place in self._left(ref):
            if has_entry(text, place[1]):
                self.found[place] = Delivered(f"comment:{as_id(row.get('ID'))}")

    def _left(self, ref: LeadRef) -> list[Place]:
        return [place for place, outcome in self.found.items() if place[0] == ref and outcome is _TOO_LONG]

    def _close(self, ref: LeadRef, outcome: Outcome) -> None:
        for place in self._left(ref):
            self.found[place] = outcome
        del self.starts[ref]


def _list_comments(key: str, ref: LeadRef, start: int) -> Command:
    params = {
        "filter": {"ENTITY_ID": ref.crm_id, "ENTITY_TYPE": ref.entity.value},
        "select": ["ID", "COMMENT"],
        "order": {"ID": "DESC"},
        "start": start,
    }
    return Command(key, "crm.timeline.comment.list", params)
