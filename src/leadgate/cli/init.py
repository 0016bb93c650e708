"""`leadgate init`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import NO_OPTIONS, Common
from leadgate.cli.output import print_json, print_lines
from leadgate.errors import ConfigurationError
from leadgate.settings import Settings

if TYPE_CHECKING:
    from leadgate.app import Initialised


def init(
    *,
    workspace_name: Annotated[str, Parameter(help="The salon's name, as clients read it.")] = "Салон",
    locale: Annotated[str, Parameter(help="Language of pages and bot: ru or en.")] = "ru",
    time_zone: Annotated[str, Parameter(help="The salon's time zone.")] = "Europe/Moscow",
    common: Common = NO_OPTIONS,
) -> int:
    """Make the data directory with its database and keys.

    Prints the one-time address at which the owner sets a password, and once the recovery key to keep on paper. A second call
    changes nothing; one that was cut off is finished by the next.

    Example: leadgate init --workspace-name "Салон «Лимон»" --time-zone Europe/Moscow
    """
    from leadgate.app import initialise
    from leadgate.system import SystemClock, SystemIds

    settings = common.settings()
    with initialise(
        settings, name=workspace_name, locale=locale, time_zone=time_zone, clock=SystemClock(), ids=SystemIds()
    ) as made:
        try:
            _show(made, settings, as_json=common.json)
            made.confirm_shown()
        except OSError as error:
            raise ConfigurationError(
                f"What was made could not be printed, or not noted as shown: {error.strerror}.",
                code="configuration.not_shown",
                hint="Run leadgate init again: it shows another recovery key and address.",
            ) from error
    return 0


def _show(made: Initialised, settings: Settings, *, as_json: bool) -> None:
    url = None if made.setup_token is None else setup_url(settings, made.setup_token.reveal())
    recovery_key = None if made.recovery_key is None else made.recovery_key.reveal()
    if as_json:
        print_json({"data": str(settings.data), "created": made.is_new, "setup_url": url, "recovery_key": recovery_key})
    elif recovery_key is None:
        print_lines(f"{settings.data} is there already; nothing was changed. Start it with: leadgate run")
    else:
        print_lines(
            *([_REPAIRED] if made.is_repaired else []),
            f"Made {settings.data}.",
            "",
            "1. Start:        leadgate run",
            f"2. Set password: {url or 'was set already'}",
            "   (works once, for three days)",
            "3. Write this recovery key on paper; it is not shown again and opens your backups if the key file is lost:",
            f"   {recovery_key}",
        )


_REPAIRED = "An earlier init was cut off. Only what is shown now counts; throw away a key or address that it showed."


def setup_url(settings: Settings, token: str) -> str:
    """The one-time address at which a password is set."""
    return f"{settings.public_url or f'http://{settings.listen}'}/setup/{token}"
