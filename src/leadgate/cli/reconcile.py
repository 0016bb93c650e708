"""`leadgate reconcile`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from leadgate.cli.options import BY_COMMAND, NO_OPTIONS, Common, with_app
from leadgate.cli.output import print_json, print_lines
from leadgate.errors import ConfigurationError
from leadgate.model.views import Cause, Difference, Reconciliation

if TYPE_CHECKING:
    from leadgate.app import App


def reconcile(
    *,
    since: Annotated[str | None, Parameter(help="ISO 8601 time with offset; default from the beginning.")] = None,
    accept: Annotated[
        list[str] | None,
        Parameter(help="A lead that the last reconciliation found missing was deleted on purpose; may be repeated."),
    ] = None,
    reason: Annotated[str | None, Parameter(help="Why, with --accept; kept with who and when.")] = None,
    common: Common = NO_OPTIONS,
) -> int:
    """Prove the ledger: received = in the CRM + waiting + answered + ignored + dead, and both sides asked.

    The CRM is asked for each lead by its origin id and swept for leads with our mark that were doubled, deleted or added by hand.
    A running gateway does the same every night. Exit code 1 when something does not add up.
    With --accept leads that are missing because somebody deleted them on purpose are no difference any more.

    Example: leadgate reconcile --since 2026-11-22T00:00:00+03:00
    """
    from_time = _parse_time(since)
    if (accept is None) is not (reason is None):
        raise ConfigurationError("--accept LEAD and --reason TEXT belong together.", code="ledger.reason_missing")

    async def work(app: App) -> Reconciliation:
        if accept is not None:
            await app.desk.accept_missing(accept, reason=reason or "", by=BY_COMMAND)
        with _progress_bar() as progress:
            return await app.desk.reconcile(since=from_time, cause=Cause.COMMAND, progress=progress)

    result = with_app(common, work, has_own_progress=True)
    if common.json:
        print_json(result)
    else:
        print_lines(
            f"Received {result.received} = in the CRM {result.in_crm} + waiting {result.waiting}"
            f" + answered {result.answered} + ignored {result.ignored} + dead {result.dead}",
            _what_was_asked(result),
            *map(_line, result.differences),
            *map(_line, result.notes),
        )
    return 1 if result.differences else 0


def _what_was_asked(result: Reconciliation) -> str:
    if not result.crm_asked:
        return "No CRM is connected, so nothing was compared."
    return (
        f"Asked the CRM for {result.leads_checked} leads by origin id, swept {result.leads_swept} with our mark:"
        f" {len(result.differences)} differences, {len(result.notes)} notes."
    )


def _line(found: Difference) -> str:
    ids = " ".join(part for part in (found.lead_id, found.origin_id, *found.crm_ids) if part)
    return f"  {found.code}: {ids}\n    {found.explained}"


@contextmanager
def _progress_bar() -> Iterator[Callable[[int, int], None] | None]:
    """A bar on a terminal; nothing where the output is read by a program."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Asking the CRM", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _parse_time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ConfigurationError(
            "--since must be an ISO 8601 time with offset, for instance 2026-11-22T00:00:00+03:00."
        )
    return at
