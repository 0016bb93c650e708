"""What every command takes, and how it reads secrets."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from cyclopts import Parameter

from leadgate.errors import ConfigurationError
from leadgate.model.secret import Secret
from leadgate.settings import Settings, read_settings

if TYPE_CHECKING:
    from leadgate.app import App

T = TypeVar("T")

PATIENCE_S = 1.0
"""A command that takes longer shows that it lives."""

BY_COMMAND = "command"
"""Who acts, as the history shows it."""


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Common:
    """Options of every command."""

    data: Annotated[Path | None, Parameter(help="Data directory; default LEADGATE_DATA or ./leadgate-data.")] = None
    json: Annotated[bool, Parameter(negative=(), help="Print one JSON document on standard output.")] = False
    debug: Annotated[bool, Parameter(negative=(), help="Show the traceback of an error.")] = False

    def settings(self, *, listen: str | None = None) -> Settings:
        """The process's settings under these options."""
        return read_settings(data=self.data, listen=listen)


@Parameter(name="*")
@dataclass(frozen=True, slots=True)
class Paging:
    """Options of every listing."""

    limit: Annotated[int, Parameter(help="How many to show, 1 to 500.")] = 50
    cursor: Annotated[str | None, Parameter(help="`next` of the page before.")] = None


NO_OPTIONS = Common()
FIRST_PAGE = Paging()


def run_async(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on uvloop."""
    import uvloop

    return uvloop.run(work)


def with_app(common: Common, work: Callable[[App], Awaitable[T]], *, has_own_progress: bool = False) -> T:
    """Open the data directory, do one thing with it, close it again. Logs stay quiet: the command says what it did.

    On a terminal a sign of life appears when it takes longer than a second, unless the work shows its own progress.
    """
    from leadgate.app import open_app
    from leadgate.observability import silence_logs

    silence_logs()

    async def run() -> T:
        async with open_app(common.settings()) as app, _sign_of_life(is_wanted=not has_own_progress):
            return await work(app)

    return run_async(run())


@asynccontextmanager
async def _sign_of_life(*, is_wanted: bool) -> AsyncIterator[None]:
    if not is_wanted or not sys.stderr.isatty():
        yield
        return
    showing = asyncio.create_task(_show_patience())
    try:
        yield
    finally:
        showing.cancel()
        with suppress(asyncio.CancelledError):
            await showing


async def _show_patience() -> None:
    await asyncio.sleep(PATIENCE_S)
    from rich.console import Console

    with Console(stderr=True).status("Working, one moment…"):
        await asyncio.Event().wait()


def read_secrets(file: str | None) -> Mapping[str, Secret]:
    """A JSON object of secrets from a file, or from standard input when it is `-`; none when it is None.

    Raises:
        ConfigurationError: cannot be read, or is no JSON object of texts. The content is never repeated.
    """
    if file is None:
        return {}
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        values = json.loads(text)
    except OSError as error:
        raise ConfigurationError(f"The secrets file cannot be read: {error.strerror}.") from None
    except ValueError:
        raise ConfigurationError(
            "The secrets file is not JSON.", hint='It holds one object, for instance {"bot_token": "…"}.'
        ) from None
    if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
        raise ConfigurationError(
            "The secrets file must hold one JSON object of texts.", hint='For instance {"bot_token": "…"}.'
        )
    return {name: Secret(value) for name, value in values.items()}


def read_pairs(pairs: list[str] | None) -> Mapping[str, str]:
    """`key=value` options as a mapping.

    Raises:
        ConfigurationError: one has no `=`.
    """
    found = {}
    for pair in pairs or []:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise ConfigurationError("--setting must look like key=value.")
        found[name] = value
    return found
