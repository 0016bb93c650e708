"""A person's file as one page to read and print: self-contained, without scripts, in Russian. What clients wrote stays text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from functools import cache

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from leadgate.catalogue.texts import read_file
from leadgate.model.person_file import PersonFile

LOCALE = "ru"
"""The right to know is a right in the person's own language, whatever staff read."""


def render_person(file: PersonFile, zone: tzinfo) -> str:
    """The page; times in the salon's zone."""
    texts = read_file("person", LOCALE)

    def moment(at: datetime | None) -> str:
        return "" if at is None else at.astimezone(zone).strftime("%d.%m.%Y %H:%M:%S")

    def say(family: str, value: str) -> str:
        """Our word for it in the reader's; what has none stands as it is."""
        return str(texts.get(f"{family}.{value}", value))

    def say_kind(kind: str) -> str:
        name, _, channel = kind.partition(":")
        return f"{say('kind', name)}, {channel}" if channel else say("kind", name)

    return (
        _environment()
        .get_template("person_file.html")
        .render(
            file=file,
            word=texts,
            section=_family(texts, "section"),
            field=_family(texts, "field"),
            moment=moment,
            as_text=_as_text,
            say=say,
            say_kind=say_kind,
        )
    )


def _family(texts: Mapping[str, str], name: str) -> Mapping[str, str]:
    start = f"{name}."
    return {key.removeprefix(start): text for key, text in texts.items() if key.startswith(start)}


def person_json(file: PersonFile) -> str:
    """The same for programs: JSON with times in ISO 8601, UTC with its offset."""
    told = msgspec.to_builtins(file, builtin_types=(datetime,))
    return json.dumps(told, ensure_ascii=False, indent=2, default=lambda at: at.astimezone(UTC).isoformat())


def _as_text(value: object) -> str:
    """Anything decoded as indented JSON; text as it is."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)


@cache
def _environment() -> Environment:
    loader = PackageLoader("leadgate.web", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
