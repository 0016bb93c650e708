"""`leadgate policies …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, NO_OPTIONS, Common, with_app
from leadgate.cli.output import print_json, print_lines, print_table
from leadgate.privacy.decisions import read_place
from leadgate.privacy.policies import Purpose
from leadgate.web.api.documents.policies import CellDocument, PoliciesDocument, SlotDocument, policies_document

if TYPE_CHECKING:
    from leadgate.app import App
    from leadgate.privacy.rules import PrivacyRules


def show(*, common: Common = NO_OPTIONS) -> int:
    """Show who may read what: kinds of personal data in free text, and fields of the CRM's objects.

    Example: leadgate policies show
    """
    document = policies_document(with_app(common, lambda app: app.policies.now()))
    if common.json:
        print_json(document)
        return 0
    _print_cells(document)
    print_lines("")
    print_table(
        ("object", "field", "passes"),
        ((one.object.value, one.field.value, _slot_word(one)) for one in document.fields),
        empty="",
        more=None,
    )
    if document.refused:
        print_lines("", "What is stored cannot be obeyed, so the default holds. See: docs/runbook/policy-refused.md")
    return 0


def set_(  # the name `set` is Python's own
    *,
    open: Annotated[  # noqa: A002 - the option's name
        list[str] | None,
        Parameter(name="--open", help="Let this through, for instance crm_comment:ADDRESS; repeatable."),
    ] = None,
    close: Annotated[
        list[str] | None,
        Parameter(name="--close", help="Let this through no more, for instance lead.email; repeatable."),
    ] = None,
    reason: Annotated[str, Parameter(help="Why; needed to open something, kept in the history.")] = "",
    common: Common = NO_OPTIONS,
) -> int:
    """Let more or less through to the CRM. A running gateway follows within seconds.

    Example: leadgate policies set --close crm_comment:BIRTHDATE --reason "nobody needs it"
    """
    opened = [read_place(word) for word in open or ()]
    closed = [read_place(word) for word in close or ()]

    async def work(app: App) -> PrivacyRules:
        return await app.policies.set_policies(opened=opened, closed=closed, reason=reason, by=BY_COMMAND)

    document = policies_document(with_app(common, work))
    if common.json:
        print_json(document)
        return 0
    newest = document.changes[0]
    print_lines(f"Version {document.version} holds: {_said(newest.opened, newest.closed)}.")
    return 0


def _said(opened: object, closed: object) -> str:
    parts = [("opened", opened), ("closed", closed)]
    return "; ".join(
        f"{word} {', '.join(map(str, places))}" for word, places in parts if isinstance(places, tuple) and places
    )


def _print_cells(document: PoliciesDocument) -> None:
    by_label: dict[str, list[str]] = {}
    for cell in document.cells:
        by_label.setdefault(cell.label.value, []).append(_cell_word(cell))
    rows = ((label, *words) for label, words in by_label.items())
    print_table(("kind", *(purpose.value for purpose in Purpose)), rows, empty="", more=None)


def _cell_word(cell: CellDocument) -> str:
    if cell.lock is not None:
        return f"never ({cell.lock.value})" if cell.lock.value == "paper" else "never"
    return "yes" if cell.passes else "no"


def _slot_word(slot: SlotDocument) -> str:
    if slot.needed:
        return "always"
    return "yes" if slot.passes else "no"
