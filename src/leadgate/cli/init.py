"""`leadgate init`."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from leadgate.cli.options import NO_OPTIONS, Common
from leadgate.cli.output import print_json, print_lines
from leadgate.settings import Settings


def init(
    *,
    workspace_name: Annotated[str, Parameter(help="The salon's name, as clients read it.")] = "Салон",
    locale: Annotated[str, Parameter(help="Language of pages and bot: ru or en.")] = "ru",
    time_zone: Annotated[str, Parameter(help="The salon's time zone.")] = "Europe/Moscow",
    common: Common = NO_OPTIONS,
) -> int:
    """Make the data directory with its database and keys.

    Prints the one-time address at which the owner sets a password, and once the recovery key to keep on paper. A second call
    changes nothing.

    Example: leadgate init --workspace-name "Салон «Лимон»" --time-zone Europe/Moscow
    """
    from leadgate.app import initialise
    from leadgate.system import SystemClock, SystemIds

    settings = common.settings()
    made = initialise(
        settings, name=workspace_name, locale=locale, time_zone=time_zone, clock=SystemClock(), ids=SystemIds()
    )
    url = None if made.setup_token is None else setup_url(settings, made.setup_token.reveal())
    recovery_key = None if made.recovery_key is None else made.recovery_key.reveal()
    if common.json:
        print_json({"data": str(settings.data), "created": made.is_new, "setup_url": url, "recovery_key": recovery_key})
    elif made.is_new:
        print_lines(
            f"Made {settings.data}.",
            "",
            "1. Start:        leadgate run",
            f"2. Set password: {url}",
            "   (works once, for three days)",
            "3. Write this recovery key on paper; it is not shown again and opens your backups if the key file is lost:",
            f"   {recovery_key}",
        )
    else:
        print_lines(f"{settings.data} is there already; nothing was changed. Start it with: leadgate run")
    return 0


def setup_url(settings: Settings, token: str) -> str:
    """The one-time address at which a password is set."""
    return f"{settings.public_url or f'http://{settings.listen}'}/setup/{token}"
