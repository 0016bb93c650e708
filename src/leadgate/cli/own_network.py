"""`leadgate own-network`: which hosts of the own network may be called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, NO_OPTIONS, Common, with_app
from leadgate.cli.output import print_json, print_table
from leadgate.connections.own_network import OwnHost

if TYPE_CHECKING:
    from leadgate.app import App


def show(*, common: Common = NO_OPTIONS) -> int:
    """Show which hosts of the own network may be called, since when and why.

    Example: leadgate own-network
    """

    async def work(app: App) -> Mapping[str, OwnHost]:
        return await app.connections.own_network.hosts()

    _show(with_app(common, work), common)
    return 0


def allow(
    host: Annotated[str, Parameter(help="A private address or a name, as it stands in the connection's address.")],
    /,
    *,
    reason: Annotated[str, Parameter(help="Which server it is and what for; kept with the permission.")],
    common: Common = NO_OPTIONS,
) -> int:
    """Allow calls to a host of the own network; journaled before it holds, a running gateway follows within seconds.

    Example: leadgate own-network allow 192.168.1.10 --reason "Our own Bitrix24 in the office"
    """

    async def work(app: App) -> Mapping[str, OwnHost]:
        await app.connections.own_network.allow(host, reason=reason, by=BY_COMMAND)
        return await app.connections.own_network.hosts()

    _show(with_app(common, work), common)
    return 0


def forbid(
    host: Annotated[str, Parameter(help="As `leadgate own-network` shows it.")],
    /,
    *,
    common: Common = NO_OPTIONS,
) -> int:
    """Take a permission back; what is for a connection that needs it is kept and waits.

    Example: leadgate own-network forbid 192.168.1.10
    """

    async def work(app: App) -> Mapping[str, OwnHost]:
        await app.connections.own_network.forbid(host, by=BY_COMMAND)
        return await app.connections.own_network.hosts()

    _show(with_app(common, work), common)
    return 0


def _show(hosts: Mapping[str, OwnHost], common: Common) -> None:
    rows = sorted(hosts.items())
    if common.json:
        items = [
            {"host": host, "reason": one.reason, "by": one.allowed_by, "at": one.allowed_at.isoformat()}
            for host, one in rows
        ]
        print_json({"items": items, "next": None})
        return
    print_table(
        ("host", "since", "by", "why"),
        ((host, f"{one.allowed_at:%Y-%m-%d}", one.allowed_by, one.reason) for host, one in rows),
        empty="No host of the own network may be called.",
        more=None,
    )
