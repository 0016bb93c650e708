"""Which writes carry out the commands, given the picture. Pure.

What fits goes in one batch that halts at the first error. So a command never runs after one that it refers
to has failed, and `$result[…]` can never stand for nothing: no lead without its contact, no entry without its
lead. The writes of one command are never torn apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from leadgate.integrations.bitrix24.batch import MAX_COMMANDS, Command, Ref
from leadgate.integrations.bitrix24.corrections import correction
from leadgate.integrations.bitrix24.fields import (
    CONTACT_TYPE,
    ENTITY_TYPE,
    Id,
    contact_fields,
    item_fields,
    person_keys,
    short_name,
)
from leadgate.integrations.bitrix24.reads import Picture
from leadgate.integrations.bitrix24.shapes import as_id, as_mapping
from leadgate.integrations.bitrix24.standing import Reachable, Standing
from leadgate.integrations.bitrix24.texts import timeline_text
from leadgate.model.leads import AddTimelineEntry, CreateLead, CrmCommand, CrmEntity, Person, UpdateLead
from leadgate.model.outcomes import Delivered, LeadClosed, Outcome, RetryLater, Scope

Results = Mapping[str, object]
Learn = Callable[[Results], None]

LEAD_NOT_MADE = RetryLater("bitrix24.lead_not_made", Scope.ITEM)


@dataclass(frozen=True, slots=True)
class Step:
    """One write.

    Attributes:
        number: which command of the delivery it belongs to.
        learn: takes what its answer tells into the picture.
        is_known: it names a lead that stood in the CRM before this delivery.
    """

    number: int
    command: Command
    learn: Learn
    is_known: bool = False


@dataclass(slots=True)
class Plan:
    """Writes in order, and commands that need none.

    Attributes:
        settled: outcome by number of the command.
        external: how to read the id of the result once the steps of a command ran.
    """

    steps: list[Step] = field(default_factory=list)
    settled: dict[int, Outcome] = field(default_factory=dict)
    external: dict[int, Callable[[Results], str | None]] = field(default_factory=dict)


def plan_writes(pending: Sequence[tuple[int, CrmCommand]], picture: Picture) -> Plan:
    """One batch of writes for these commands, from the first on; what does not fit is left out.

    The picture is not changed before an answer is learnt.
    """
    return _Planner(picture).plan(pending)


def lead_words(entity: CrmEntity, crm_id: int) -> str:
    """External id of a lead or deal: `lead:48211`, `deal:77`."""
    return f"{entity.value}:{crm_id}"


class _Planner:
    """Plans with a copy of the picture in which ids that do not exist yet are references."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._contacts: dict[str, Id] = dict(picture.contacts)
        self._made: dict[str, Standing] = dict(picture.made)
        self._standings = dict(picture.standings)
        self._plan = Plan()

    def plan(self, pending: Sequence[tuple[int, CrmCommand]]) -> Plan:
        for number, command in pending:
            before = len(self._plan.steps)
            if isinstance(command, CreateLead):
                self._create(number, command)
            elif isinstance(command, UpdateLead | AddTimelineEntry):  # orders to destroy go their own way (`erase`)
                self._change(number, command)
            if len(self._plan.steps) > MAX_COMMANDS:
                self._take_back(number, before)
                break
        return self._plan

    def _take_back(self, number: int, before: int) -> None:
        """Leave out a command that does not fit whole; this planner is not used any further."""
        del self._plan.steps[before:]
        self._plan.external.pop(number, None)

    def _create(self, number: int, command: CreateLead) -> None:
        facts, picture = self._picture.facts, self._picture
        contact = self._contact(number, command)
        fields = item_fields(command, entity=facts.entity, contact=contact, sources=facts.sources)
        key = self._key("i")
        made = Standing(
            entity=facts.entity,
            item_id=Ref(key),
            own=_reachable(command.person) if facts.entity is CrmEntity.LEAD else Reachable(),
            contacts=() if contact is None else (contact,),
            primary=_reachable(command.for_contact) if isinstance(contact, Ref) else None,
        )

        def learn(results: Results) -> None:
            resolved = _resolved(made, results)
            if isinstance(resolved.item_id, int):
                picture.made[command.lead_id] = resolved

        params = {"entityTypeId": ENTITY_TYPE[facts.entity], "fields": fields}
        self._write(number, Command(key, "crm.item.add", params), learn)
        self._made[command.lead_id] = made
        self._plan.external[number] = lambda results: _made_id(facts.entity, Ref(key), results)

    def _contact(self, number: int, command: CreateLead) -> Id | None:
        """The contact that has this phone or e-mail, one that was made for this lead before, or a new one."""
        keys = (*person_keys(command.for_contact), f"origin:{command.origin_id}")
        known = self._known_contact(keys)
        if known is not None:
            return known
        # Without phone and e-mail a contact could never be found again; a deal needs one all the same, it has
        # no name.
        if len(keys) == 1 and not (self._picture.facts.entity is CrmEntity.DEAL and short_name(command.for_contact)):
            return None
        fields = contact_fields(command.for_contact, origin_id=command.origin_id, channel=command.channel)
        return self._new_contact(number, fields, keys)

    def _known_contact(self, keys: Sequence[str]) -> Id | None:
        return next((self._contacts[key] for key in keys if key in self._contacts), None)

    def _new_contact(self, number: int, fields: Mapping[str, object], keys: Sequence[str]) -> Ref:
        ref, picture = Ref(self._key("c")), self._picture

        def learn(results: Results) -> None:
            contact = _resolve(ref, results)
            if isinstance(contact, int):
                picture.contacts.update(dict.fromkeys(keys, contact))

        params = {"entityTypeId": CONTACT_TYPE, "fields": dict(fields)}
        self._write(number, Command(ref.key, "crm.item.add", params), learn)
        self._contacts.update(dict.fromkeys(keys, ref))
        return ref

    def _change(self, number: int, command: UpdateLead | AddTimelineEntry) -> None:
        if command.ref is None and command.lead_id not in self._made:
            self._plan.settled[number] = LEAD_NOT_MADE
            return
        standing = self._made[command.lead_id] if command.ref is None else self._standings.get(command.ref)
        if isinstance(command, UpdateLead) and command.instead_of is not None and standing is not None:
            self._correct(number, command, standing, command.instead_of)
        elif standing is None or standing.is_closed:
            self._plan.settled[number] = LeadClosed()
        elif isinstance(command, AddTimelineEntry):
            self._comment(number, command, standing)
        else:
            self._update(number, command, standing)

    def _comment(self, number: int, command: AddTimelineEntry, standing: Standing) -> None:
        fields = {
            "ENTITY_ID": standing.item_id,
            "ENTITY_TYPE": standing.entity.value,
            "COMMENT": timeline_text(command),
        }
        key = self._key("t")
        self._write(number, Command(key, "crm.timeline.comment.add", {"fields": fields}), _nothing)
        self._plan.external[number] = lambda results: _comment_id(results.get(key))

    def _update(self, number: int, command: UpdateLead, standing: Standing) -> None:
        fields: dict[str, object] = {}
        after = standing
        if standing.entity is CrmEntity.LEAD:
            fields = standing.own.missing(command.person)
            after = replace(after, own=standing.own.with_person(command.person))
        after = self._link(number, command, after)
        if after.contacts != standing.contacts:
            fields["contactIds"] = list(after.contacts)
        if fields:
            self._update_item(number, ENTITY_TYPE[standing.entity], standing.item_id, fields=fields)
        self._remember(number, command, after)

    def _correct(self, number: int, command: UpdateLead, standing: Standing, wrong: Person) -> None:
        """What is wrong gives way to what is right, in a closed record too, and in the contacts it is linked to."""
        if standing.written is None:  # made in this very batch: its numbers of phones are not known yet
            self._plan.settled[number] = LEAD_NOT_MADE
            return
        is_lead = standing.entity is CrmEntity.LEAD
        own = correction(standing.written, wrong=wrong, right=command.person, has_own_person=is_lead)
        if own:
            self._update_item(number, ENTITY_TYPE[standing.entity], standing.item_id, fields=own)
        for place, (contact, written) in enumerate(standing.people.items()):
            is_sole = place == 0 and not is_lead
            theirs = correction(written, wrong=wrong, right=command.person, adds=is_sole)
            if theirs and not command.keeps_contacts:
                self._update_item(number, CONTACT_TYPE, contact, fields=theirs)
        self._remember(number, command, replace(standing, written=None))

    def _link(self, number: int, command: UpdateLead, standing: Standing) -> Standing:
        """Link the contact that has this phone or e-mail; else complete the linked one; else make one."""
        keys = person_keys(command.for_contact)
        known = self._known_contact(keys)
        if known is not None:
            return standing if known in standing.contacts else standing.with_contact(known)
        if standing.contacts:
            return self._complete(number, command.for_contact, standing)
        if not keys:
            return standing
        fields = contact_fields(command.for_contact, origin_id=command.origin_id, channel=None)
        contact = self._new_contact(number, fields, keys)
        return replace(standing.with_contact(contact), primary=_reachable(command.for_contact))

    def _complete(self, number: int, person: Person, standing: Standing) -> Standing:
        missing = standing.primary.missing(person) if standing.primary is not None else {}
        if not missing or standing.primary is None:
            return standing
        self._update_item(number, CONTACT_TYPE, standing.contacts[0], fields=missing)
        self._contacts.update(dict.fromkeys(person_keys(person), standing.contacts[0]))
        return replace(standing, primary=standing.primary.with_person(person))

    def _update_item(self, number: int, type_id: int, item_id: Id, *, fields: Mapping[str, object]) -> None:
        params = {"entityTypeId": type_id, "id": item_id, "fields": dict(fields)}
        self._write(number, Command(self._key("u"), "crm.item.update", params), _nothing)

    def _remember(self, number: int, command: UpdateLead, after: Standing) -> None:
        """Later commands of this delivery see the updated record; after an answer the picture does too."""
        picture, ref = self._picture, command.ref
        self._plan.external[number] = lambda results: _made_id(after.entity, after.item_id, results)
        if ref is None:
            self._made[command.lead_id] = after
        else:
            self._standings[ref] = after
        mine = [index for index, step in enumerate(self._plan.steps) if step.number == number]
        if not mine:
            words = _made_id(after.entity, after.item_id, {})
            self._plan.settled[number] = Delivered(words)
            return

        def learn(results: Results) -> None:
            resolved = _resolved(after, results)
            if ref is None:
                picture.made[command.lead_id] = resolved
            else:
                picture.standings[ref] = resolved

        last = self._plan.steps[mine[-1]]
        self._plan.steps[mine[-1]] = replace(last, learn=_both(last.learn, learn))

    def _write(self, number: int, command: Command, learn: Learn) -> None:
        named = command.params.get("id") or as_mapping(command.params.get("fields")).get("ENTITY_ID")
        self._plan.steps.append(Step(number, command, learn, is_known=isinstance(named, int)))

    def _key(self, letter: str) -> str:
        return f"{letter}{len(self._plan.steps)}"


def _nothing(results: Results) -> None:
    """Nothing of this answer matters for later commands."""


def _both(first: Learn, second: Learn) -> Learn:
    def learn(results: Results) -> None:
        first(results)
        second(results)

    return learn


def _reachable(person: Person) -> Reachable:
    """What a record has that was made from this person."""
    return Reachable().with_person(person)


def _resolve(value: Id, results: Results) -> Id:
    """The number behind a reference, or the reference itself when the answer has no number there."""
    if not isinstance(value, Ref):
        return value
    found: object = results.get(value.key)
    for part in value.path:
        found = as_mapping(found).get(part)
    return as_id(found) or value


def _resolved(standing: Standing, results: Results) -> Standing:
    contacts = tuple(_resolve(contact, results) for contact in standing.contacts)
    return replace(standing, item_id=_resolve(standing.item_id, results), contacts=contacts)


def _made_id(entity: CrmEntity, item_id: Id, results: Results) -> str | None:
    number = _resolve(item_id, results)
    return lead_words(entity, number) if isinstance(number, int) else None


def _comment_id(value: object) -> str | None:
    number = as_id(value)
    return f"comment:{number}" if number else None
