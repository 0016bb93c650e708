"""`leadgate secrets …`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, FIRST_PAGE, NO_OPTIONS, Common, Paging, read_secrets, with_app
from leadgate.cli.output import print_json, print_lines, print_page, print_table, short_time
from leadgate.errors import ConflictError
from leadgate.model.renewals import LONGEST_DAYS, SHORTEST_DAYS, USUAL_OVERLAP, Renewed, SecretView
from leadgate.web.api.documents.plain import cut_page
from leadgate.web.api.documents.secrets import (
    ConfirmedDocument,
    DueDocument,
    RenewedDocument,
    renewed_document,
    secret_document,
)

if TYPE_CHECKING:
    from leadgate.app import App

Name = Annotated[str, Parameter(help="Name of the secret as `secrets list` shows it: conn_….key.")]
Overlap = Annotated[int, Parameter(help="Seconds for which the version before stays good.")]
USUAL_OVERLAP_S = int(USUAL_OVERLAP.total_seconds())


def list_all(*, paging: Paging = FIRST_PAGE, common: Common = NO_OPTIONS) -> int:
    """List every token and webhook secret, what is due first at the top; values are never shown.

    Example: leadgate secrets list --json
    """
    views = list(with_app(common, lambda app: app.secrets.all()))
    page = cut_page(views, limit=paging.limit, cursor=paging.cursor)
    if common.json:
        print_page(page, secret_document)
    else:
        print_table(
            ("name", "of", "state", "age", "due", "how", "owner", "last used"),
            ((*_row(view),) for view in page.items),
            empty="There are no secrets yet. Start with: leadgate connect --help",
            more=page.next_cursor,
        )
    return 0


def rotate(name: Name, /, *, overlap: Overlap = USUAL_OVERLAP_S, common: Common = NO_OPTIONS) -> int:
    """Make a new secret, tell the vendor, keep the old one good for a while; shows the new one this once.

    What only the vendor can make is not touched: then the steps are shown and the exit code is 1.

    Example: leadgate secrets rotate conn_01JD….signing_secret --overlap 3600
    """

    async def work(app: App) -> RenewedDocument:
        renewed = await app.secrets.rotate(name, overlap=timedelta(seconds=overlap), by=BY_COMMAND)
        return renewed_document(renewed, locale=app.locale)

    document = with_app(common, work)
    try:
        _show(document, as_json=common.json)
    except OSError as error:
        raise ConflictError(
            f"{document.name} was rotated, but this could not be printed: {error.strerror}.",
            code="secret.not_shown",
            hint=f"Put the version before back: leadgate secrets undo {document.name}",
        ) from error
    return 0 if document.done else 1


def set_(
    name: Name,
    /,
    *,
    secrets_file: Annotated[
        str,
        Parameter(
            help='JSON file, or - for standard input: {"value": "…"}, or the values of several keys by name.',
            allow_leading_hyphen=True,
        ),
    ],
    overlap: Overlap = USUAL_OVERLAP_S,
    common: Common = NO_OPTIONS,
) -> int:
    """Put a value that the vendor issued in the place of the old one, once the vendor has taken it.

    Example: echo '{"value": "TOKEN"}' | leadgate secrets set conn_01JD….bot_token --secrets-file -
    """
    values = read_secrets(secrets_file)

    async def work(app: App) -> list[RenewedDocument]:
        renewed = await app.secrets.set(name, values, overlap=timedelta(seconds=overlap), by=BY_COMMAND)
        return _documents(app, renewed)

    return _show_all(with_app(common, work), as_json=common.json)


def undo(name: Name, /, *, common: Common = NO_OPTIONS) -> int:
    """Put the version before back, as long as it is kept.

    Example: leadgate secrets undo conn_01JD….bot_token
    """

    async def work(app: App) -> list[RenewedDocument]:
        return _documents(app, await app.secrets.undo(name, by=BY_COMMAND))

    return _show_all(with_app(common, work), as_json=common.json)


def confirm(name: Name, /, *, common: Common = NO_OPTIONS) -> int:
    """Destroy the version before at once, because the new one is proven.

    Example: leadgate secrets confirm conn_01JD….bot_token
    """
    destroyed = with_app(common, lambda app: app.secrets.confirm(name, by=BY_COMMAND))
    if common.json:
        print_json(ConfirmedDocument(name=name, destroyed=destroyed))
    else:
        print_lines(f"{name}: versions destroyed: {destroyed}." if destroyed else f"{name}: nothing was kept.")
    return 0


def due(
    name: Annotated[str | None, Parameter(help="One secret only; all of them when it is left out.")] = None,
    /,
    *,
    days: Annotated[
        int | None, Parameter(help=f"{SHORTEST_DAYS} to {LONGEST_DAYS}; shows the rule when absent.")
    ] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Show or decide after how many days secrets are due.

    Example: leadgate secrets due --days 45
    """

    async def work(app: App) -> int:
        one = None if name is None else app.secrets.whole_name(name)
        rule = (
            await app.secrets.due_rule() if days is None else await app.secrets.set_due(days, name=one, by=BY_COMMAND)
        )
        return rule.days if one is None else rule.by_name.get(one, rule.days)

    found = with_app(common, work)
    if common.json:
        print_json(DueDocument(days=found))
    else:
        print_lines(f"{name or 'Secrets'}: due after {found} days.")
    return 0


def _documents(app: App, renewed: Sequence[Renewed]) -> list[RenewedDocument]:
    return [renewed_document(one, locale=app.locale) for one in renewed]


def _show_all(documents: Sequence[RenewedDocument], *, as_json: bool) -> int:
    if as_json:
        print_json({"items": list(documents)} if len(documents) > 1 else documents[0])
        return 0
    for document in documents:
        _show(document, as_json=False)
    return 0


def _show(document: RenewedDocument, *, as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    if not document.done:
        print_lines(f"{document.name} is issued by the vendor, so a person fetches the new one:")
    else:
        print_lines(f"{document.name} was replaced.")
    if document.secret is not None:
        print_lines(f"The new value, shown this once: {document.secret}")
    if document.overlap_until is not None:
        print_lines(f"The one before stays good until {short_time(document.overlap_until)}.")
    print_lines(*(f"{number}. {step}" for number, step in enumerate(document.steps, start=1)))
    for finding in document.findings:
        print_lines(f"  {finding.state.value}: {finding.text} {finding.cure}".rstrip())
    if not document.done:
        print_lines(f'Then: leadgate secrets set {document.name} --secrets-file FILE with {{"value": "…"}}')


def _row(view: SecretView) -> tuple[str, ...]:
    return (
        str(view.name),
        f"{view.title}, {view.connection_name}",
        "unfinished" if view.is_unfinished else view.light.value,
        f"{view.age.days} d",
        "—" if view.next_due is None else f"{view.next_due:%Y-%m-%d}",
        view.renewal.value,
        view.owner_name or view.owner or "—",
        short_time(view.last_used_at),
    )
