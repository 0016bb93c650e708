"""Alarms: what is wrong now, what ended lately, who is told, and whether it arrives there."""

from __future__ import annotations

from datetime import datetime, timedelta

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from leadgate.errors import NotFoundError
from leadgate.model.alerts import AlertOverview, AlertTarget
from leadgate.web.access import Act, PageRequest, allowed
from leadgate.web.sheet import MenuEntry, WebPage, address, house_of, show
from leadgate.web.states import ADDRESS_FAILS, ADDRESS_UNTRIED, ADDRESS_WELL, Mark

LOOK_TIMELY = timedelta(minutes=3)
"""A worker looks four times a minute; after so long without a look nobody does."""

TRIAL_HOLDS = timedelta(days=30)
"""An address that took nothing for so long may be dead without anybody knowing."""


@get("/alerts")
async def alerts(request: PageRequest) -> Response[str]:
    """What is raised now, newest first, what ended within a day, and the addresses with how their sends end."""
    house = house_of(request)
    overview, now = await house.alerts.overview(), house.clock.now()
    newest = sorted(overview.alerts, key=lambda alert: alert.since, reverse=True)
    return show(
        request,
        "alerts.html",
        overview=overview,
        raised=[(alert, house.alerts.tell(alert)) for alert in newest],
        solved=[house.alerts.tell(alert) for alert in overview.solved],
        addresses=[(target, mark_of_address(target, now)) for target in overview.targets],
        is_blind=is_blind(overview, now),
    )


@post("/alerts/{target_id:str}/test", guards=[allowed(Act.CONNECT)], status_code=303)
async def test(request: PageRequest, target_id: FromPath[str]) -> Redirect:
    """Send a trial; the row of the address says how it ended."""
    try:
        (trial,) = await house_of(request).alerts.test(target_id)
    except NotFoundError:
        return _back("alert_gone")
    return _back("alert_taken" if trial.error_code is None else "alert_not_taken")


@post("/alerts/{target_id:str}/remove", guards=[allowed(Act.CONNECT)], status_code=303)
async def remove(request: PageRequest, target_id: FromPath[str]) -> Redirect:
    """Tell this address no more; a second press finds it gone."""
    try:
        await house_of(request).alerts.remove(target_id, by=request.user.staff_id)
    except NotFoundError:
        return _back("alert_gone")
    return _back("alert_removed")


def mark_of_address(target: AlertTarget, now: datetime) -> Mark:
    """How sends to an address end, in one word."""
    if target.failures or target.last_error:
        return ADDRESS_FAILS
    if target.last_sent_at is None or now - target.last_sent_at > TRIAL_HOLDS:
        return ADDRESS_UNTRIED
    return ADDRESS_WELL


def is_blind(overview: AlertOverview, now: datetime) -> bool:
    """True when no worker looks for trouble."""
    return overview.looked_at is not None and now - overview.looked_at > LOOK_TIMELY


def _back(notice: str) -> Redirect:
    return Redirect(address("/alerts", notice=notice), status_code=303)


PAGE = WebPage(
    handlers=(alerts, test, remove),
    menu=MenuEntry(section="alerts", href="/alerts", icon="alert", group="shield", order=5),
)
