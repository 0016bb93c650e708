"""`leadgate alerts …`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, FIRST_PAGE, NO_OPTIONS, Common, Paging, read_secrets, with_app
from leadgate.cli.output import print_json, print_lines, print_table, short_time
from leadgate.errors import ConfigurationError
from leadgate.model.alerts import AddressTrial, Alert, AlertTarget
from leadgate.model.secret import Secret

if TYPE_CHECKING:
    from leadgate.app import App

_ADDRESS_KEY = "url"


def list_all(*, paging: Paging = FIRST_PAGE, common: Common = NO_OPTIONS) -> int:
    """List the alarms that are raised now, newest first, and the addresses that they are sent to.

    Example: leadgate alerts list --json
    """
    overview = with_app(common, lambda app: app.alerts.overview())
    newest = sorted(overview.alerts, key=lambda alert: alert.since, reverse=True)
    start = int(paging.cursor) if paging.cursor and paging.cursor.isdecimal() else 0
    shown = newest[start : start + paging.limit]
    more = str(start + paging.limit) if len(newest) > start + paging.limit else None
    if common.json:
        addresses = [_address_document(target) for target in overview.targets]
        document = {"items": [_document(alert) for alert in shown], "next": more, "addresses": addresses}
        print_json({**document, "unsent": overview.unsent, "looked_at": overview.looked_at})
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
            for alert in shown
        ),
        empty="No alarm is raised.",
        more=more,
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


def send_trial(*, common: Common = NO_OPTIONS) -> int:
    """Send a trial message to every address; exit code 1 when one does not take it, or when there is none.

    Example: leadgate alerts test
    """
    trials = with_app(common, lambda app: app.alerts.test())
    if common.json:
        print_json({"items": [_trial_document(trial) for trial in trials], "next": None})
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
        print_json({"address": target.target_id, "name": target.name, "service": target.service})
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
        print_json({"address": address_id, "state": "removed"})
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


def _document(alert: Alert) -> dict[str, Any]:
    return {
        "cause": alert.cause.value,
        "subject": alert.subject or None,
        "who": alert.who or None,
        "code": alert.detail or None,
        "since": alert.since,
        "count": alert.count,
        "needs_person": alert.needs_person,
        "told_at": alert.told_at,
        "messages": alert.round,
    }


def _address_document(target: AlertTarget) -> dict[str, Any]:
    return {
        "id": target.target_id,
        "name": target.name,
        "service": target.service,
        "created_at": target.created_at,
        "last_sent_at": target.last_sent_at,
        "failures": target.failures,
        "failing_since": target.failing_since,
        "error_code": target.last_error,
    }


def _address_row(target: AlertTarget) -> tuple[str, ...]:
    failures = f"{target.failures} {target.last_error or ''}".rstrip() if target.failures else "0"
    return target.target_id, target.name, target.service, short_time(target.last_sent_at), failures


def _trial_document(trial: AddressTrial) -> dict[str, Any]:
    return {
        "address": trial.target_id,
        "name": trial.name,
        "state": "failed" if trial.error_code else "taken",
        "error_code": trial.error_code,
    }
