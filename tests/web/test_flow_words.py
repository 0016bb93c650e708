"""The data map and incident mode bring words of their own: each that is asked for exists, and each that exists is asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import leadgate
from leadgate import registry
from leadgate.catalogue.texts import read_file
from leadgate.model.incidents import STORY_FIELDS, Notice
from leadgate.model.recipients import DataKind, Place, Role, Standing
from leadgate.privacy.detect.spans import Label
from leadgate.privacy.policies import NEVER

PACKAGE = Path(leadgate.__file__).parent
MADE = {
    "flows": {
        *(f"role.{role}" for role in Role),
        *(f"purpose.{role}" for role in Role),
        *(f"basis.{role}" for role in Role),
        *(f"standing.{standing}" for standing in Standing),
        *(f"kind.{kind}" for kind in DataKind),
        *(f"place.{place}" for place in Place),
        *(f"page.group.{place}" for place in Place),
        *(f"label.{label}" for label in Label if label not in NEVER),
    },
    "incident": {
        *(f"{family}.{notice}" for family in ("page.clock", "page.notice") for notice in Notice),
        *(f"{family}.{notice}" for family in ("notice.title", "alarm.notice") for notice in Notice),
        *(f"page.story.{name}" for name in STORY_FIELDS),
    },
}
FREE = ("country.", "paper.", "identifier.", "notice.")
"""Families that code puts together from what the data says."""


def asked_for(template: str, modules: tuple[str, ...]) -> set[str]:
    """Every key that stands quoted in the template and in the modules."""
    files = [PACKAGE / "web" / "templates" / template, *(PACKAGE / module for module in modules)]
    code = "".join(file.read_text("utf-8") for file in files)
    return set(re.findall(r"""["']([a-z_]+(?:\.[a-zA-Z_0-9]+)*)["']""", code))


@pytest.mark.parametrize(
    ("part", "template", "modules"),
    [
        ("flows", "data_map.html", ("app/data_map_words.py", "web/pages/data_map.py")),
        ("incident", "incident.html", ("incidents/notices.py", "incidents/sense.py", "web/pages/incident.py")),
    ],
)
def test_words_are_there_and_used(part: str, template: str, modules: tuple[str, ...]) -> None:
    """A missing one breaks a page in the worst hour; one too many misleads whoever translates."""
    known, named = set(read_file(part, "ru")), asked_for(template, modules)
    wanted = {key for key in named if key.startswith(("page.", "alarm."))} | MADE[part]
    assert sorted(wanted - known) == []
    assert sorted(key for key in known - named - MADE[part] if not key.startswith(FREE)) == []


def test_every_kind_says_what_travels() -> None:
    """A vendor without a flow would not stand on the map, and its host would never be asked about."""
    assert [kind for kind in registry.kinds() if registry.get(kind).manifest.flow is None] == []
