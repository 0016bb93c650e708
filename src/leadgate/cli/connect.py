"""`leadgate connect KIND`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, NO_OPTIONS, Common, read_pairs, read_secrets, with_app
from leadgate.cli.output import print_json, print_lines
from leadgate.errors import ConflictError

if TYPE_CHECKING:
    from leadgate.app import App
    from leadgate.connections.connect import Connected


def connect(
    kind: Annotated[str, Parameter(help="What to connect, for instance telegram; a wrong word lists all kinds.")],
    *,
    name: Annotated[str, Parameter(help="What people call it.")],
    setting: Annotated[list[str] | None, Parameter(help="key=value; may be repeated.", negative=())] = None,
    secrets_file: Annotated[
        str | None, Parameter(help="JSON file of secrets, or - for standard input.", allow_leading_hyphen=True)
    ] = None,
    check: Annotated[bool, Parameter(help="Ask the vendor and register the webhook first.")] = True,
    foreign_reason: Annotated[
        str | None, Parameter(help="Why clients' data may go to a server abroad or of unknown country; journaled.")
    ] = None,
    host_country: Annotated[
        str | None, Parameter(help="Country of a server that we do not know, two letters; RU when it stands in Russia.")
    ] = None,
    own_network_reason: Annotated[
        str | None, Parameter(help="Why a server of your own network may be called; journaled.")
    ] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Add a connection: check it live, register the webhook, show a generated secret once.

    Example: echo '{"webhook_url": "https://PORTAL/rest/17/SECRET/"}' | leadgate connect bitrix24 --name CRM --secrets-file -
    """
    secrets, settings = read_secrets(secrets_file), read_pairs(setting)

    async def work(app: App) -> Connected:
        return await app.connections.connect(
            kind,
            name=name,
            settings=settings,
            secrets=secrets,
            check=check,
            by=BY_COMMAND,
            foreign_reason=foreign_reason,
            host_country=host_country,
            own_network_reason=own_network_reason,
        )

    made = with_app(common, work)
    try:
        _show(made, kind=kind, name=name, as_json=common.json)
    except OSError as error:
        raise ConflictError(
            f"{name} is connected as {made.connection_id}, but this could not be printed: {error.strerror}.",
            code="connection.not_shown",
            hint=f"If it has a secret that you need, run leadgate connections remove {made.connection_id} and connect again.",
        ) from error
    return 0


def _show(made: Connected, *, kind: str, name: str, as_json: bool) -> None:
    secret = None if made.webhook_secret is None else made.webhook_secret.reveal()
    if as_json:
        document = {"connection": made.connection_id, "kind": kind, "name": name}
        print_json({**document, "webhook_path": made.webhook_path, "webhook_secret": secret})
        return
    print_lines(f"Connected {name} ({kind}) as {made.connection_id}.", f"Webhook path: {made.webhook_path}")
    if secret is not None:
        print_lines(f"Webhook secret, shown this once: {secret}")
    for finding in made.report.findings if made.report is not None else ():
        print_lines(f"  {finding.state.value}: {finding.text} {finding.cure}".rstrip())
