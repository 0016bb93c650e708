"""`leadgate alerts …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, FIRST_PAGE, NO_OPTIONS, Common, Paging, read_secrets, with_app
from leadgate.cli.output import print_json, print_lines, print_table, short_time
from leadgate.errors import ConfigurationError
from leadgate.model.alerts import AlertTarget
from leadgate.model.secret import Secret
from leadgate.web.api.documents.alerts import (
    RemovedAddressDocument,
    alerts_document,
    new_address_document,
    newest_alerts,
    trials_document,
)

if TYPE_CHECKING:
    from leadgate.app import App

_ADDRESS_KEY = "url"


def list_all(*, paging: Paging = FIRST_PAGE, common: Common = NO_OPTIONS) -> int:
    """List the alarms that are raised now, newest first, and the addresses that they are sent to.

    Example: leadgate alerts list --json
    """
    overview = with_app(common, lambda app: app.alerts.overview())
    page = newest_alerts(overview, limit=paging.limit, cursor=paging.cursor)
    if common.json:
        print_json(alerts_document(overview, page))
        return 0
    print_table(
        ("cause", "about", "since", "count", "detail"),
        (
            (
                alert.cause.value,
                alert.who or alert.subject or "—",
                short_time(alert.since),
                str(alert.count),
                alert.detail,
            )
            for alert in page.items
        ),
        empty="No alarm is raised.",
        more=page.next_cursor,
    )
    print_lines("")
    print_table(
        ("address", "name", "service", "last sent", "failures"),
        ((*_address_row(target),) for target in overview.targets),
        empty="Alarms are sent nowhere yet. Add an address with: leadgate alerts add --help",
        more=None,
    )
    if overview.unsent:
        print_lines(f"Not delivered yet: {overview.unsent} messages. See which address fails: leadgate alerts test")
    return 0


def send_trial(
    address_id: Annotated[str | None, Parameter(help="Id of one address, addr_…; default every address.")] = None,
    /,
    *,
    common: Common = NO_OPTIONS,
) -> int:
    """Send a trial message to every address or to one; exit code 1 when one does not take it, or when there is none.

    Example: leadgate alerts test
    """
    trials = with_app(common, lambda app: app.alerts.test(address_id))
    if common.json:
        print_json(trials_document(trials))
    else:
        for trial in trials:
            print_lines(f"{trial.target_id} {trial.name}: {trial.error_code or 'taken'}")
        if not trials:
            print_lines("Alarms are sent nowhere yet. Add an address with: leadgate alerts add --help")
    return 0 if trials and not any(trial.error_code for trial in trials) else 1


def add(
    url: Annotated[
        str | None, Parameter(help="Apprise address. It holds secrets, which others see in arguments: prefer the file.")
    ] = None,
    /,
    *,
    name: Annotated[str | None, Parameter(help="What people call the address; default the service's name.")] = None,
    secrets_file: Annotated[
        str | None,
        Parameter(help='JSON object {"url": "…"} with the address; - reads standard input.', allow_leading_hyphen=True),
    ] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Send alarms to one more address. It is kept encrypted and never printed.

    Example: leadgate alerts add --secrets-file owner.json --name "Owner's Telegram"
    """
    address = _read_address(url, secrets_file)

    async def work(app: App) -> AlertTarget:
        return await app.alerts.add(address, name=name, by=BY_COMMAND)

    target = with_app(common, work)
    if common.json:
        print_json(new_address_document(target))
    else:
        print_lines(f"{target.target_id} {target.name} is told of alarms now. Try it with: leadgate alerts test")
    return 0


def remove(
    address_id: Annotated[str, Parameter(help="Id of the address, addr_….")], /, *, common: Common = NO_OPTIONS
) -> int:
    """Send alarms to an address no more.

    Example: leadgate alerts remove addr_01JD…
    """
    with_app(common, lambda app: app.alerts.remove(address_id, by=BY_COMMAND))
    if common.json:
        print_json(RemovedAddressDocument(address=address_id))
    else:
        print_lines(f"{address_id} is told of alarms no more.")
    return 0


def _read_address(url: str | None, secrets_file: str | None) -> Secret:
    secrets = read_secrets(secrets_file)
    if (url is None) is (secrets_file is None):
        raise ConfigurationError("Name the address once: in --secrets-file (better), or as the argument.")
    if url is not None:
        return Secret(url)
    if set(secrets) != {_ADDRESS_KEY}:
        raise ConfigurationError('The secrets file must hold {"url": "…"} and nothing else.')
    return secrets[_ADDRESS_KEY]


def _address_row(target: AlertTarget) -> tuple[str, ...]:
    failures = f"{target.failures} {target.last_error or ''}".rstrip() if target.failures else "0"
    return target.target_id, target.name, target.service, short_time(target.last_sent_at), failures
