"""Makes a page: template, words, times and what every page shows around its content.

A page module calls `show`; nothing here knows a single page.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Response
from litestar.handlers import HTTPRouteHandler

from leadgate.catalogue.texts import LOCALES
from leadgate.web.access import Act, Connection, PageRequest, may, session_of
from leadgate.web.catalogue import Catalogue, load_catalogue
from leadgate.web.cookies import LOCALE_COOKIE, THEME_COOKIE, THEMES
from leadgate.web.house import House
from leadgate.web.moments import Moments

FORM_LIMIT_BYTES = 64 * 1024
STATIC_PATH = "/static"
NOTICES = frozenset(
    {
        "retried",
        "all_retried",
        "discarded",
        "fixed",
        "confirmed",
        "conflict",
        "checked",
        "unreachable",
        "paused",
        "resumed",
        "removed",
        "reconciled",
        "accepted",
        "acceptance_withdrawn",
        "not_accepted",
        "reason_missing",
        "alert_added",
        "alert_added_not_taken",
        "alert_taken",
        "alert_not_taken",
        "alert_removed",
        "alert_gone",
        "policy_changed",
        "policy_unchanged",
        "policy_conflict",
        "term_chosen",
        "term_out_of_range",
        "journal_unavailable",
        "erased",
        "request_opened",
        "request_assigned",
        "request_extended",
        "request_closed",
        "request_conflict",
        "request_unknown",
        "request_reason",
        "subject_corrected",
        "subject_unchanged",
        "subject_blocked",
        "subject_blocked_soon",
        "subject_unblocked",
        "recipient_decided",
        "recipient_reason_missing",
        "recipient_country_wrong",
        "incident_opened",
        "incident_open",
        "incident_frozen",
        "incident_unfrozen",
        "incident_noted",
        "incident_counted",
        "incident_sent",
        "incident_closed",
        "incident_open_already",
        "incident_time_wrong",
        "incident_note_wrong",
        "incident_number_missing",
        "incident_still_frozen",
        "incident_notice_missing",
        "incident_not_frozen",
        "incident_none_open",
        "consent_text_written",
        "secret_rotated",
        "secret_set",
        "secret_undone",
        "secret_confirmed",
        "secret_due",
        "consent_text_same",
        "consent_rule_changed",
        "consent_recipient_wrong",
        "key_rotated",
        "key_by_command",
        "key_busy",
        "key_custodian_away",
        "proven",
        "session_ended",
        "session_gone",
        "codes_removed",
        "passkey_removed",
        "passkey_refused",
        "role_changed",
        "role_same",
        "last_owner",
        "dismissed",
        "token_revoked",
    }
)


WARNINGS = frozenset(
    {
        "conflict",
        "unreachable",
        "not_accepted",
        "reason_missing",
        "alert_added_not_taken",
        "alert_not_taken",
        "alert_gone",
        "policy_unchanged",
        "policy_conflict",
        "term_out_of_range",
        "journal_unavailable",
        "request_conflict",
        "request_unknown",
        "request_reason",
        "subject_unchanged",
        "recipient_reason_missing",
        "recipient_country_wrong",
        "incident_open_already",
        "incident_time_wrong",
        "incident_note_wrong",
        "incident_number_missing",
        "incident_still_frozen",
        "incident_notice_missing",
        "incident_not_frozen",
        "incident_none_open",
        "consent_text_same",
        "consent_recipient_wrong",
        "key_by_command",
        "key_busy",
        "key_custodian_away",
        "session_gone",
        "passkey_refused",
        "role_same",
        "last_owner",
    }
)
"""Notices that something did not go as wished."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MenuEntry:
    """A line of the menu.

    Attributes:
        section: name of the page's own section; its word is `menu.{section}`.
        group: `work`, `privacy` or `shield`; its word is `menu.group.{group}`.
        order: position within the whole menu, from 1.
    """

    section: str
    href: str
    icon: str
    group: str
    order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WebPage:
    """What a module of `web/pages/` offers under the name `PAGE`.

    Attributes:
        handlers: Litestar route handlers.
        menu: its line in the menu, or None.
        is_open: True when strangers may come (sign-in, set-up).
    """

    handlers: Sequence[HTTPRouteHandler]
    menu: MenuEntry | None = None
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Studio:
    """What pages are made with: one per application."""

    menu: tuple[MenuEntry, ...]
    environment: Environment = field(default_factory=lambda: _environment())  # noqa: PLW0108 - the function stands below, with the other details


def show(request: PageRequest, template: str, *, status: int = 200, **content: object) -> Response[str]:
    """Render a template into a page. The content is whatever the template names besides the frame."""
    studio: Studio = request.app.state.studio
    text = studio.environment.get_template(template).render(_frame(request, studio), **content)
    return Response(text, status_code=status, media_type="text/html; charset=utf-8")


def house_of(request: Connection) -> House:
    """The house behind this page."""
    house: House = request.app.state.house
    return house


def words_of(request: Connection) -> Catalogue:
    """The words in the language of this person: their own choice, else the salon's."""
    wish = request.cookies.get(LOCALE_COOKIE, "")
    return load_catalogue(wish if wish in LOCALES else house_of(request).locale)


def moments_of(request: Connection) -> Moments:
    """Times in the salon's zone, as of now."""
    house = house_of(request)
    return Moments(words_of(request), house.time_zone, house.clock.now())


def address(path: str, **query: str | None) -> str:
    """A path with those parts of the query that have a value."""
    given = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def _frame(request: PageRequest, studio: Studio) -> Mapping[str, object]:
    session = session_of(request)
    words = words_of(request)
    theme = request.cookies.get(THEME_COOKIE, "")
    notice = request.query_params.get("notice", "")
    return {
        "t": words,
        "moments": moments_of(request),
        "static": static_address,
        "address": address,
        "menu": studio.menu,
        "workspace_name": house_of(request).workspace_name,
        "staff": session.staff if session else None,
        "csrf": session.csrf_token if session else "",
        "may": {act.value: session is not None and may(session.staff.role, act) for act in Act},
        "theme": theme if theme in THEMES else "system",
        "themes": THEMES,
        "here": _path_and_query(request),
        "notice": notice if notice in NOTICES else "",
        "is_warning": notice in WARNINGS,
        "notice_count": _whole(request.query_params.get("count", "")),
    }


def _path_and_query(request: PageRequest) -> str:
    query = {name: value for name, value in request.query_params.items() if name not in {"notice", "count"}}
    return address(request.url.path, **query)


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0  # noqa: PLR2004 - enough for any list


@cache
def static_address(name: str) -> str:
    """Address of a static file with a mark of its content, so that browsers fetch a new one when it has changed."""
    content = resources.files("leadgate.web").joinpath("static", name).read_bytes()
    return f"{STATIC_PATH}/{name}?v={hashlib.sha256(content).hexdigest()[:10]}"


def _environment() -> Environment:
    loader = PackageLoader("leadgate.web", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
