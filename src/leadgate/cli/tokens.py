"""`leadgate tokens …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, FIRST_PAGE, NO_OPTIONS, Common, Paging, with_app
from leadgate.cli.output import print_json, print_lines, print_page, print_table, short_time
from leadgate.errors import ConfigurationError
from leadgate.model.secret import Secret
from leadgate.model.staff import EVERY_AREA, Role
from leadgate.web.api.documents.plain import cut_page, plain
from leadgate.web.api.documents.tokens import TokenDocument, token_document
from leadgate.web.api.router import find_endpoints

if TYPE_CHECKING:
    from leadgate.app import App


def create(
    *,
    role: Annotated[Role, Parameter(help="What the program may do, as a person of this role.")],
    days: Annotated[int, Parameter(help="How many days it works, 1 to 366.")],
    name: Annotated[str, Parameter(help="What people call the program.")] = "",
    scope: Annotated[
        list[str] | None,
        Parameter(
            negative=(),
            help="What of the role it may do: deliveries:read, deliveries:write, all:read; repeatable. Default: all of it.",
        ),
    ] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Make a token for the API. It is shown this once; we keep only its hash.

    Example: leadgate tokens create --role auditor --days 90 --name "Monthly report" --scope deliveries:read
    """
    wrong = sorted(
        {one.partition(":")[0] for one in scope or ()} - {EVERY_AREA, *(one.area for one in find_endpoints())}
    )
    if wrong:
        raise ConfigurationError(
            f"The API has no part {wrong[0]}.",
            code="access.token_scope",
            hint="The parts stand in docs/reference/api.md.",
        )

    async def work(app: App) -> tuple[TokenDocument, Secret]:
        token, secret = await app.tokens.create(role=role, days=days, name=name, scopes=scope, by=BY_COMMAND)
        return token_document(token, now=app.clock.now()), secret

    made, secret = with_app(common, work)
    if common.json:
        document = plain(made)
        print_json({**(document if isinstance(document, dict) else {}), "token": secret.reveal()})
        return 0
    print_lines(
        f"Token {made.id} of the role {made.role.value} works until {short_time(made.expires_at)} UTC.",
        f"Shown this once: {secret.reveal()}",
        "Send it as: Authorization: Bearer TOKEN",
    )
    return 0


def list_all(*, paging: Paging = FIRST_PAGE, common: Common = NO_OPTIONS) -> int:
    """List tokens, newest first, with their last use; those that are over among them.

    Example: leadgate tokens list
    """

    async def work(app: App) -> list[TokenDocument]:
        return [token_document(token, now=app.clock.now()) for token in await app.tokens.all()]

    page = cut_page(with_app(common, work), limit=paging.limit, cursor=paging.cursor)
    if common.json:
        print_page(page, lambda token: token)
    else:
        print_table(
            ("id", "name", "role", "scopes", "state", "until (UTC)", "last used (UTC)"),
            ((*_row(token),) for token in page.items),
            empty="There is no token yet. Make one with: leadgate tokens create --help",
            more=page.next_cursor,
        )
    return 0


def revoke(
    token_id: Annotated[str, Parameter(help="Id of the token, tok_….")], /, *, common: Common = NO_OPTIONS
) -> int:
    """End a token at once.

    Example: leadgate tokens revoke tok_01JD…
    """
    with_app(common, lambda app: app.tokens.revoke(token_id, by=BY_COMMAND))
    if common.json:
        print_json({"id": token_id, "state": "revoked"})
    else:
        print_lines(f"{token_id} opens nothing any more.")
    return 0


def _row(token: TokenDocument) -> tuple[str, ...]:
    return (
        token.id,
        token.name or "—",
        token.role.value,
        "all" if token.scopes is None else " ".join(token.scopes),
        token.state,
        short_time(token.expires_at),
        short_time(token.last_used_at),
    )
