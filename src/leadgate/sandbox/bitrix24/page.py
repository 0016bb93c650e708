"""The sandbox's page: what stands in the portal, as a person reads it. Fills `templates/portal.html.j2`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from leadgate.sandbox.bitrix24 import views
from leadgate.sandbox.bitrix24.faults import Faults
from leadgate.sandbox.bitrix24.portal import SIMPLE_MODE, Portal
from leadgate.sandbox.bitrix24.words import CATALOGUE

SHOWN_LEADS = 50
SHOWN_CONTACTS = 50
SHOWN_ENTRIES = 30


@dataclass(frozen=True, slots=True)
class Wishes:
    """How the reader wants the page: `language` ru or en; `is_live` refreshes it every three seconds."""

    language: str
    is_live: bool


def render_page(portal: Portal, faults: Faults, wishes: Wishes, *, now: datetime) -> str:
    """The whole page as HTML; everything that came from outside is escaped by the template."""
    words = CATALOGUE[wishes.language]
    items = views.leads(portal, SHOWN_LEADS)
    people = views.contacts(portal)
    return _template().render(
        words=words,
        language=wishes.language,
        is_live=wishes.is_live,
        leads=[_card(portal, item, now) for item in items],
        total=views.count_leads(portal),
        contacts=people[:SHOWN_CONTACTS],
        contact_total=len(people),
        faults=list(faults),
        counters=portal.counters,
        refused=sum(portal.counters.refused.values()),
        struck=sum(portal.counters.faults.values()),
        is_simple=portal.mode == SIMPLE_MODE,
    )


@cache
def _template() -> Template:
    loader = PackageLoader("leadgate.sandbox.bitrix24")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.get_template("portal.html.j2")


def _card(portal: Portal, item: dict[str, object], now: datetime) -> dict[str, object]:
    entries = item["timeline"]
    history = entries if isinstance(entries, list) else []
    utm = item["utm"]
    directory = "STATUS" if item["entity"] == "lead" else "DEAL_STAGE"
    stage = portal.status(directory, item["stage"])
    source = portal.status("SOURCE", item["source_id"])
    return {
        **item,
        "stage_name": stage.name if stage else item["stage"],
        "tone": {"S": "is-ok", "F": "is-bad"}.get((stage.semantics if stage else None) or "", "is-info"),
        "icon": {"S": "ok", "F": "bad"}.get((stage.semantics if stage else None) or "", "wait"),
        "source_name": source.name if source else item["source_id"],
        "tags": [(key, value) for key, value in utm.items() if value] if isinstance(utm, Mapping) else [],
        "when": _when(str(item["created_at"]), now, portal.zone),
        "history": [{**entry, "when": _when(entry["at"], now, portal.zone)} for entry in history[-SHOWN_ENTRIES:]],
        "earlier": max(0, len(history) - SHOWN_ENTRIES),
        "won": "CONVERTED" if item["entity"] == "lead" else "WON",
        "lost": "JUNK" if item["entity"] == "lead" else "LOSE",
    }


def _when(at: str, now: datetime, zone: tzinfo) -> str:
    moment = datetime.fromisoformat(at).astimezone(zone)
    is_today = moment.date() == now.astimezone(zone).date()
    return f"{moment:%H:%M:%S}" if is_today else f"{moment:%d.%m.%Y %H:%M}"
