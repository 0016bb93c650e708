"""What goes to whom: the owner reads one table, and changes it on a page of its own, with a reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from litestar import Response, get, post
from litestar.response import Redirect

from leadgate.errors import ConfigurationError, ConflictError
from leadgate.privacy.allow_list import FIXED, POSSIBLE, CrmField, CrmObject
from leadgate.privacy.decisions import Cell, Slot, read_place
from leadgate.privacy.detect.spans import Label
from leadgate.privacy.held_back import by_day
from leadgate.privacy.policies import CRM_PURPOSES, Lock, Purpose, lock_of
from leadgate.privacy.rules import MAX_REASON_LENGTH, Change, PrivacyRules
from leadgate.web.access import Act, PageRequest, allowed, fresh
from leadgate.web.catalogue import Catalogue
from leadgate.web.forms import read_form
from leadgate.web.sheet import MenuEntry, WebPage, address, house_of, show, words_of

CHANGES_SHOWN = 10
DAYS_SHOWN = 30

ERRORS = {
    "policy.reason_missing": "policies.error.reason_missing",
    "policy.reason_long": "policies.error.reason_long",
    "policy.reason_personal": "policies.error.reason_personal",
}
"""Code of a refusal -> its words, which stand at the reason."""


@dataclass(frozen=True, slots=True)
class CellShown:
    """One cell of the table. `state` is `seen`, `hidden` or `never`; `place` is None where nobody decides."""

    state: str
    place: str | None
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Row:
    """One kind of data and who sees it."""

    label: Label
    cells: Sequence[CellShown]


@dataclass(frozen=True, slots=True)
class SlotShown:
    """One field of an object; a `needed` one stands there always."""

    name: CrmField
    place: str
    passes: bool
    needed: bool


@dataclass(frozen=True, slots=True)
class Told:
    """One decision in words."""

    at: datetime
    by: str
    reason: str
    opened: str
    closed: str


@get("/policies")
async def policies(request: PageRequest) -> Response[str]:
    """The table, the fields, what was held back, and who decided what."""
    house = house_of(request)
    rules, held, names = await house.policies.now(), await house.policies.held_back(), await house.policies.names()
    return show(
        request,
        "policies.html",
        rules=rules,
        purposes=tuple(Purpose),
        rows=rows_of(rules),
        objects=objects_of(rules),
        held=[(day, place, kind, count) for (day, place, kind), count in by_day(held, house.time_zone)][:DAYS_SHOWN],
        changes=[_told(request, change, names) for change in reversed(rules.policies_standing.changes)][:CHANGES_SHOWN],
    )


@get("/policies/change", guards=[allowed(Act.PRIVACY), fresh])
async def form(request: PageRequest) -> Response[str]:
    """The same as boxes to tick."""
    return _form(request, await house_of(request).policies.now())


@post("/policies/change", guards=[allowed(Act.PRIVACY), fresh], status_code=303)
async def change(request: PageRequest) -> Response[str] | Redirect:
    """Open what is ticked now and was not, close the rest."""
    given, desk = await read_form(request), house_of(request).policies
    rules = await desk.now()
    if given.get("version") != str(rules.policies_standing.version):
        return Redirect(address("/policies", notice="policy_conflict"), status_code=303)
    decided = _decided(rules)
    opened = [place for place, passes in decided.items() if str(place) in given and not passes]
    closed = [place for place, passes in decided.items() if str(place) not in given and passes]
    reason = given.get("reason", "")
    try:
        await desk.set_policies(opened=opened, closed=closed, reason=reason, by=request.user.staff_id)
    except ConfigurationError as error:
        if error.code not in ERRORS:
            return Redirect(address("/policies", notice="policy_unchanged"), status_code=303)
        ticked = frozenset(str(place) for place in decided if str(place) in given)
        return _form(request, rules, ticked=ticked, reason=reason, error=ERRORS[error.code])
    except ConflictError:
        return Redirect(address("/policies", notice="policy_conflict"), status_code=303)
    return Redirect(address("/policies", notice="policy_changed"), status_code=303)


def rows_of(rules: PrivacyRules) -> list[Row]:
    """Kinds of data that somebody may see first, then those that nobody may."""
    rows = [Row(label, [_cell(rules, Cell(purpose, label)) for purpose in Purpose]) for label in Label]
    return sorted(rows, key=lambda row: all(cell.place is None for cell in row.cells))


def objects_of(rules: PrivacyRules) -> list[tuple[CrmObject, list[SlotShown]]]:
    """The fields of every object, those that it needs first."""
    return [(thing, _slots(rules, thing)) for thing in CrmObject]


def _form(
    request: PageRequest,
    rules: PrivacyRules,
    *,
    ticked: frozenset[str] | None = None,
    reason: str = "",
    error: str | None = None,
) -> Response[str]:
    passing = frozenset(str(place) for place, passes in _decided(rules).items() if passes)
    return show(
        request,
        "policies_change.html",
        status=422 if error else 200,
        purposes=CRM_PURPOSES,
        labels=[(purpose, _labels(rules, purpose)) for purpose in CRM_PURPOSES],
        objects=objects_of(rules),
        ticked=passing if ticked is None else ticked,
        version=rules.policies_standing.version,
        reason=reason,
        reason_limit=MAX_REASON_LENGTH,
        error=error,
    )


def _decided(rules: PrivacyRules) -> Mapping[Cell | Slot, bool]:
    """Every place that the owner decides on now, and whether it lets through."""
    places: dict[Cell | Slot, bool] = {}
    for purpose in CRM_PURPOSES:
        for label in _labels(rules, purpose):
            places[Cell(purpose, label)] = label in rules.policies.passes(purpose)
    for thing in CrmObject:
        for name in POSSIBLE[thing] - FIXED[thing]:
            places[Slot(thing, name)] = rules.fields.allows(thing, name)
    return places


def _labels(rules: PrivacyRules, purpose: Purpose) -> list[Label]:
    has_paper = rules.health.has_paper
    return [label for label in Label if lock_of(purpose, label, has_paper=has_paper) is None]


def _cell(rules: PrivacyRules, cell: Cell) -> CellShown:
    lock = lock_of(cell.purpose, cell.label, has_paper=rules.health.has_paper)
    if lock is not None:
        return CellShown("paper" if lock is Lock.PAPER else "never", None, cell.purpose)
    passes = cell.label in rules.policies.passes(cell.purpose)
    return CellShown("seen" if passes else "hidden", str(cell), cell.purpose)


def who_said(words: Catalogue, by: str, names: Mapping[str, str]) -> str:
    """A person by name, a command or a program by that word."""
    return names.get(by) or words("policies.by.command" if by == "command" else "policies.by.program")


def _told(request: PageRequest, change: Change, names: Mapping[str, str]) -> Told:
    words = words_of(request)

    def say(places: Sequence[str]) -> str:
        return ", ".join(_say(words, place) for place in places)

    return Told(change.at, who_said(words, change.by, names), change.reason, say(change.opened), say(change.closed))


def _say(words: Catalogue, written: str) -> str:
    try:
        place = read_place(written)
    except ConfigurationError:  # of another release
        return written
    if isinstance(place, Cell):
        return f"{words(f'policies.purpose.{place.purpose}')}: {words(f'policies.label.{place.label}').lower()}"
    return f"{words(f'policies.object.{place.thing}')}: {words(f'policies.field.{place.name}')}"


def _slots(rules: PrivacyRules, thing: CrmObject) -> list[SlotShown]:
    names = [name for name in CrmField if name in POSSIBLE[thing]]
    slots = [
        SlotShown(name, str(Slot(thing, name)), rules.fields.allows(thing, name), name in FIXED[thing])
        for name in names
    ]
    return sorted(slots, key=lambda slot: not slot.needed)


PAGE = WebPage(
    handlers=(policies, form, change),
    menu=MenuEntry(section="policies", href="/policies", icon="eye", group="privacy", order=13),
)
