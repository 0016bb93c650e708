"""What an alarm says: a headline, since when, how many wait, what to do. Pure; the words stand in the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo

from leadgate.catalogue.meanings import meaning_of
from leadgate.catalogue.texts import load_texts, read_file
from leadgate.model.alerts import Alert, AlertState, AlertWords, Cause, Ending, MessageKind
from leadgate.ports.notifier import Message

_COUNTS = {
    Cause.DEAD: "count.dead",
    Cause.UNCERTAIN: "count.dead",
    Cause.FAILED: "count.failed",
    Cause.SILENCE: "count.silence",
    Cause.DISK: "count.disk",
    Cause.LEDGER: "count.differences",
    Cause.ERASURE: "count.erasures",
    Cause.ADDRESS: "count.failures",
    Cause.REQUEST: "count.request_days",
}
_ENDINGS = frozenset(Ending)
_EXPLAINED = frozenset({Cause.CONNECTION, Cause.CHANNEL})
"""Causes that are told by what their code means."""
_PAGES = {
    Cause.CONNECTION: "/connections",
    Cause.PAUSED: "/connections",
    Cause.NO_CRM: "/connections",
    Cause.SILENCE: "/connections",
    Cause.CHANNEL: "/connections",
    Cause.DEAD: "/deliveries?state=dead&period=all",
    Cause.UNCERTAIN: "/deliveries?state=unknown&period=all",
    Cause.QUEUE: "/deliveries?state=waiting&period=all",
    Cause.INBOX: "/events",
    Cause.FAILED: "/events",
    Cause.CANARY: "/events",
    Cause.ADDRESS: "/alerts",
    Cause.LEDGER: "/ledger",
    Cause.ERASURE: "/erasures",
    Cause.REQUEST: "/requests",
    Cause.CALENDAR: "/requests",
    Cause.FROZEN: "/incident",
    Cause.NOTICE: "/incident",
    Cause.JOURNAL: "/journal",
    Cause.OUTSIDE: "/journal",
    Cause.CUSTODIAN: "/keys",
    Cause.SECRET: "/secrets",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """Whose alarms these are: language, zone, name, and our address as people open it (None when not set)."""

    locale: str
    time_zone: tzinfo
    workspace: str
    public_url: str | None


def compose(alert: Alert, kind: MessageKind, voice: Voice, *, now: datetime) -> Message:
    """The message of a kind about an alarm, in the salon's language and zone."""
    if kind is MessageKind.SOLVED:
        return _finish([_between(alert, voice, now)], headline(alert, voice, is_solved=True), voice, alert.cause)
    lines = [since_when(alert, voice, now=now), cure(alert, voice)]
    title = headline(alert, voice)
    if kind is MessageKind.REMINDER:
        title = load_texts("alerts", voice.locale).get("reminder", title=title)
    return _finish(lines, title, voice, alert.cause)


def tell(alert: Alert, voice: Voice, *, now: datetime) -> AlertWords:
    """The alarm in parts, for a page."""
    if alert.state is not AlertState.RAISED:
        ended = _between(alert, voice, now)
        return AlertWords(title=headline(alert, voice, is_solved=True), since=ended, cure="", place="")
    title, since = headline(alert, voice), since_when(alert, voice, now=now)
    return AlertWords(title=title, since=since, cure=cure(alert, voice), place=place_of(alert.cause))


def trial(voice: Voice) -> Message:
    """What `alerts test` sends."""
    texts = load_texts("alerts", voice.locale)
    return _finish([texts.get("test.body")], texts.get("test.title"), voice, None)


def kept_outside(checkpoint: str, voice: Voice) -> Message:
    """The journal's checkpoint for somebody who keeps it and need not understand it."""
    texts = load_texts("alerts", voice.locale)
    return _finish(
        [texts.get("checkpoint.body"), "", checkpoint.strip(), ""], texts.get("checkpoint.title"), voice, None
    )


def headline(alert: Alert, voice: Voice, *, is_solved: bool = False) -> str:
    """What happened, without a full stop: «Bitrix24 не отвечает»."""
    if is_solved and alert.detail in _ENDINGS:
        return load_texts("alerts", voice.locale).get(f"ended.{alert.detail}", who=alert.who)
    if alert.cause in _EXPLAINED and not is_solved:
        return _page_text(f"error.{meaning_of(alert.detail)}", voice, alert.who).rstrip(".")
    name = "solved" if is_solved else "late" if alert.cause is Cause.NOTICE and alert.detail else "raised"
    return _of_stage(f"{alert.cause.value}.{name}", alert, voice, who=alert.who)


def since_when(alert: Alert, voice: Voice, *, now: datetime) -> str:
    """Since when it lasts and how much it is about."""
    texts = load_texts("alerts", voice.locale)
    parts = [texts.get("since", time=_time(alert.since, voice, now))]
    if alert.count:
        parts.append(_of_stage(_COUNTS.get(alert.cause, "count.waiting"), alert, voice, count=str(alert.count)))
    return " ".join(parts)


def cure(alert: Alert, voice: Voice) -> str:
    """What to do."""
    if alert.cause in _EXPLAINED:
        return _page_text(f"cure.{meaning_of(alert.detail)}", voice, alert.who)
    return load_texts("alerts", voice.locale).get(f"{alert.cause.value}.cure", who=alert.who)


def place_of(cause: Cause) -> str:
    """The page where something can be done about it."""
    return _PAGES.get(cause, "/")


def _between(alert: Alert, voice: Voice, now: datetime) -> str:
    until = alert.solved_at or now
    texts = load_texts("alerts", voice.locale)
    return texts.get("solved_between", since=_time(alert.since, voice, now), until=_time(until, voice, now))


def _finish(lines: list[str], title: str, voice: Voice, cause: Cause | None) -> Message:
    texts = load_texts("alerts", voice.locale)
    if voice.public_url is not None and cause is not None:
        lines = [*lines, texts.get("link", address=voice.public_url + place_of(cause))]
    return Message(title=title, body="\n".join([*lines, texts.get("footer", workspace=voice.workspace)]))


def _of_stage(key: str, alert: Alert, voice: Voice, **values: str) -> str:
    """The text of a key; where the alarm's detail has words of its own, those."""
    texts = load_texts("alerts", voice.locale)
    staged = f"{key}.{alert.detail}"
    return texts.get(staged if texts.has(staged) else key, **values)


def _page_text(key: str, voice: Voice, who: str) -> str:
    """Codes are explained by the same sentences as on the pages."""
    return str(read_file("pages", voice.locale)[key]).format(who=who)


def _time(at: datetime, voice: Voice, now: datetime) -> str:
    """The hour today, with the day before it earlier."""
    local, today = at.astimezone(voice.time_zone), now.astimezone(voice.time_zone).date()
    return f"{local:%H:%M}" if local.date() == today else f"{local:%H:%M %d.%m}"
