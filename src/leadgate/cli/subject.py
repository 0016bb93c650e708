"""`leadgate subject`: a person's rights. Masked unless asked openly; every look and act is in the journal."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, NO_OPTIONS, Common, with_app
from leadgate.cli.output import print_json, print_lines, print_table, short_time
from leadgate.errors import ConfigurationError
from leadgate.model.subjects import BlockReason, Corrected, NewValues, SubjectCard
from leadgate.rights.values import read_values
from leadgate.web.api.documents.subjects import (
    blocked_document,
    correction_document,
    subject_document,
    unblocked_document,
)

if TYPE_CHECKING:
    from leadgate.app import App
    from leadgate.model.person_file import PersonFile

Identifier = Annotated[
    str,
    Parameter(help="A phone in any writing, an e-mail, @name, an id in a messenger, subj_…; - reads standard input."),
]


def find(
    identifier: Identifier,
    /,
    *,
    reveal: Annotated[bool, Parameter(negative=(), help="Show name, phone and e-mail in full.")] = False,
    common: Common = NO_OPTIONS,
) -> int:
    """Find a person and show what there is of them, masked; corrections on their way to the CRM stand there too.

    Example: leadgate subject find "8 900 000-01-01"
    """
    wanted = _read_identifier(identifier)

    async def work(app: App) -> SubjectCard:
        subject_id = await app.subjects.find(wanted, by=BY_COMMAND)
        return await app.subjects.card(subject_id, by=BY_COMMAND, is_open=reveal)

    card = with_app(common, work)
    if common.json:
        print_json(subject_document(card))
    else:
        _print_card(card)
    return 0


def export(
    identifier: Identifier,
    /,
    *,
    out: Annotated[
        Path | None, Parameter(help="Write to this file (readable by you alone) instead of printing.")
    ] = None,
    html: Annotated[bool, Parameter(negative=(), help="A readable page in Russian instead of JSON.")] = False,
    common: Common = NO_OPTIONS,
) -> int:
    """Give out everything that is held of a person, here and in the CRM, as one JSON document or one page.

    Example: leadgate subject export +79000000101 --out person.json
    """
    from leadgate.web.person_page import person_json, render_person

    if common.json and html:
        raise ConfigurationError("Choose one of --json and --html.")
    wanted = _read_identifier(identifier)

    async def work(app: App) -> tuple[PersonFile, str]:
        subject_id = await app.subjects.find(wanted, by=BY_COMMAND)
        file = await app.subjects.export(subject_id, by=BY_COMMAND)
        return file, render_person(file, app.time_zone) if html else ""

    file, page = with_app(common, work)
    if out is None:
        sys.stdout.write(page) if html else print_json(file)
        return 0
    _write_privately(out, page if html else person_json(file))
    if common.json:
        print_json({"subject": file.subject, "file": str(out)})
    else:
        print_lines(f"Written: {out}. It holds personal data: hand it over and delete it.")
    return 0


def correct(
    identifier: Identifier,
    /,
    *,
    values_file: Annotated[
        str, Parameter(help='A JSON object of what is right: {"name", "phone", "email"}; - reads standard input.')
    ],
    common: Common = NO_OPTIONS,
) -> int:
    """Correct a person's name, phone or e-mail here and in the CRM. The values come from a file: arguments stay in histories.

    Example: leadgate subject correct subj_01JD… --values-file right.json
    """
    if identifier == "-" and values_file == "-":
        raise ConfigurationError("Standard input can be read once: give the person or the values in another way.")
    values = _read_values(values_file)
    wanted = _read_identifier(identifier)

    async def work(app: App) -> tuple[Corrected, SubjectCard]:
        subject_id = await app.subjects.find(wanted, by=BY_COMMAND)
        done = await app.subjects.correct(subject_id, values, by=BY_COMMAND)
        return done, await app.subjects.card(subject_id, by=BY_COMMAND)

    done, card = with_app(common, work)
    if common.json:
        orders = [correction_document(one) for one in card.corrections if one.delivery_id in done.orders]
        print_json({"subject": done.subject_id, "fields": done.fields, "orders": orders})
        return 0
    print_lines(f"Corrected: {', '.join(done.fields)}.")
    if done.orders:
        print_lines(f"Orders to the CRM: {len(done.orders)}. See: leadgate subject find {done.subject_id}")
    else:
        print_lines("Nothing of this person stands in the CRM.")
    return 0


def block(
    identifier: Identifier,
    /,
    *,
    reason: Annotated[BlockReason, Parameter(help="Why; it stands in the journal.")] = BlockReason.REQUEST,
    common: Common = NO_OPTIONS,
) -> int:
    """Hold back everything about a person at once: nothing goes to the CRM or a messenger, nothing is answered, all is kept.

    Example: leadgate subject block subj_01JD… --reason request
    """
    wanted = _read_identifier(identifier)

    async def hold(app: App) -> int:
        subject_id = await app.subjects.find(wanted, by=BY_COMMAND)
        done = await app.subjects.block(subject_id, reason, by=BY_COMMAND)
        if common.json:
            print_json(blocked_document(done))
        elif done.in_hand:
            print_lines(f"Blocked. {done.in_hand} calls that had begun before have not ended yet; nothing new begins.")
        else:
            print_lines(f"Blocked. Nothing goes out; {done.waiting} wait.")
        return 0

    return with_app(common, hold)


def unblock(identifier: Identifier, /, *, common: Common = NO_OPTIONS) -> int:
    """Let everything about a person go on: what waited is sent, what came meanwhile is worked on.

    Example: leadgate subject unblock subj_01JD…
    """
    wanted = _read_identifier(identifier)

    async def let_go(app: App) -> int:
        subject_id = await app.subjects.find(wanted, by=BY_COMMAND)
        done = await app.subjects.unblock(subject_id, by=BY_COMMAND)
        if common.json:
            print_json(unblocked_document(done))
        else:
            print_lines(f"Unblocked. {done.resumed} go on, {done.reopened} that came meanwhile are worked on.")
            if done.too_late:
                print_lines(f"{done.too_late} messages are too old to send: leadgate deliveries list --state dead")
        return 0

    return with_app(common, let_go)


def _read_identifier(given: str) -> str:
    return sys.stdin.readline().strip() if given == "-" else given


def _read_values(file: str) -> NewValues:
    """What is right. Raises ConfigurationError, which never repeats the content."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        given = json.loads(text)
    except OSError as error:
        raise ConfigurationError(f"The values file cannot be read: {error.strerror}.") from None
    except ValueError:
        raise ConfigurationError(
            "The values file is not JSON.", hint='It holds one object, for instance {"name": "…"}.'
        ) from None
    return read_values(given)


def _write_privately(path: Path, content: str) -> None:
    try:
        path.touch(mode=0o600)
        path.chmod(0o600)
        path.write_text(content, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"The file cannot be written: {error.strerror}.") from None


def _print_card(card: SubjectCard) -> None:
    state = "erased" if card.erased_at else "blocked" if card.blocked_at else "active"
    since = f", {card.block_reason.value}" if card.blocked_at and card.block_reason else ""
    print_lines(
        f"{card.subject_id}  {state}{since}",
        f"name: {card.name or '—'}  phone: {card.phone or '—'}  e-mail: {card.email or '—'}",
        f"known since {short_time(card.since)}, last heard {short_time(card.last_heard_at)}",
        "  ".join(f"{name}: {count}" for name, count in card.counts.items()),
    )
    print_table(
        ("channel", "name", "last heard"),
        ((one.kind, one.name, short_time(one.heard_at)) for one in card.channels),
        empty="No chats.",
        more=None,
    )
    for one in card.corrections:
        print_lines(f"correction of {one.crm_ref or 'a lead that is not in the CRM yet'}: {one.state.value}")
