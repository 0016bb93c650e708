"""Texts that managers read in Bitrix24: comment of a lead, entries of the timeline. Pure.

What clients type may carry BB-code, HTML and control characters; here they lose their power but stay
readable.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime
from typing import Final

from leadgate.model.leads import AddTimelineEntry, LeadParts

NAME_LIMIT: Final = 50  # field-length-limits.md: longer names are cut or refused
TITLE_LIMIT: Final = 255
UTM_LIMIT: Final = 600
MULTI_FIELD_LIMIT: Final = 250
TEXT_LIMIT: Final = 20_000  # ours: a comment is read by people

_APART = "\u200c"  # zero width non-joiner: "[b]" and "<b>" look as typed, but no parser takes them for a tag
# Tags and references begin with a sign of ASCII; our own placeholders such as [CARD_1] are no tags and stay findable.
_OPENING = re.compile(r"[\[<](?![A-Z]+_\d+\])(?=[!-~])")
_KEPT_FORMATS = frozenset("\u200c\u200d")  # joiners inside emoji and words; other format signs turn or hide text
_SERVICE, _TIME, _PHONE, _NAME = "Услуга", "Удобное время", "Телефон", "Имя"


def clean(text: str) -> str:
    """The text without control characters, half surrogates and signs that turn the direction of writing."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(sign for sign in text if _is_shown(sign)).strip()


def one_line(text: str, limit: int) -> str:
    """The text on one line, cut at `limit` characters."""
    return " ".join(clean(text).split())[:limit].strip()


def disarm(text: str) -> str:
    """The cleaned text in which neither BB-code nor HTML works any more; what is over 20,000 characters is cut."""
    shown = clean(text)
    shown = shown if len(shown) <= TEXT_LIMIT else f"{shown[:TEXT_LIMIT]}…"
    return _OPENING.sub(lambda found: found[0] + _APART, shown)


def moment(when: datetime) -> str:
    """`22.11.2026 18:04` in the zone of the value itself."""
    return when.strftime("%d.%m.%Y %H:%M")


def lead_comment(said: LeadParts, *, channel_title: str, with_person: bool) -> str:
    """The client's request in readable lines.

    Args:
        channel_title: stands before the client's user name there.
        with_person: add name and phone, because a deal has no fields for them.
    """
    name, person = one_line(said.person.name or "", TITLE_LIMIT), said.person
    facts = {
        _NAME: disarm(name) if with_person or len(name) > NAME_LIMIT else "",
        _PHONE: disarm(person.phone or "") if with_person else "",
        _SERVICE: disarm(one_line(said.service or "", TITLE_LIMIT)),
        _TIME: moment(said.preferred_time) if said.preferred_time else "",
        disarm(channel_title): f"@{disarm(one_line(person.username, TITLE_LIMIT))}" if person.username else "",
    }
    lines = "\n".join(f"{label}: {value}" for label, value in facts.items() if value)
    return "\n\n".join(part for part in (disarm(said.comment), lines) if part)


def timeline_text(command: AddTimelineEntry) -> str:
    """Who, where and when; what was said; and a last short line by which the entry is found again."""
    author = disarm(one_line(command.author, TITLE_LIMIT))
    head = " · ".join(part for part in (author, disarm(command.channel_title), moment(command.occurred_at)) if part)
    return f"{head}\n{disarm(command.text)}\n\n№ {command.entry_id}"


def has_entry(comment: str, entry_id: str) -> bool:
    """True when this comment is the entry: the id stands in it as a whole word."""
    return re.search(rf"(?<![\w-]){re.escape(entry_id)}(?![\w-])", comment) is not None


def _is_shown(sign: str) -> bool:
    category = unicodedata.category(sign)
    return sign in "\n\t" or sign in _KEPT_FORMATS or category not in {"Cc", "Cf", "Cs", "Co"}
