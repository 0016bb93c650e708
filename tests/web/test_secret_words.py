"""The page of secrets brings words of its own: each that is asked for exists, and each that exists is asked for."""

from __future__ import annotations

import re
from pathlib import Path

import leadgate
from leadgate import registry
from leadgate.catalogue.renewals import steps_of
from leadgate.catalogue.texts import read_file
from leadgate.model.renewals import Renewal, SecretLight
from leadgate.web.pages.secrets import secret_words

WEB = Path(leadgate.__file__).parent / "web"
FILES = ("pages/secrets.py", "templates/secrets.html", "templates/secret_made.html")
MADE = {
    *(f"page.light.{light}" for light in SecretLight),
    *(f"page.how.{renewal}" for renewal in Renewal),
    *(f"page.owner.{owner}" for owner in ("system", "command", "unknown")),
    "page.light.stays",
}
BY_CODE = "page.failed."
NEEDS_STEPS = {Renewal.BY_HAND, Renewal.HANDED}


def test_words_are_there_and_used() -> None:
    """A missing one breaks the page; one too many misleads whoever translates."""
    code = "".join((WEB / file).read_text("utf-8") for file in FILES)
    named = set(re.findall(r"""["'](page(?:\.[a-z_]+)+)["']""", code)) | MADE
    known = {key for key in read_file("secrets", "ru") if key.startswith("page.")}
    assert sorted(named - known) == []
    assert sorted(key for key in known - named if not key.startswith(BY_CODE)) == []


def test_every_refusal_that_the_page_explains_is_one_that_is_raised() -> None:
    """A code that was renamed would fall back to words that say nothing."""
    told = {key.removeprefix(BY_CODE) for key in read_file("secrets", "ru") if key.startswith(BY_CODE)}
    sources = "".join(file.read_text("utf-8") for file in Path(leadgate.__file__).parent.rglob("*.py"))
    assert sorted(code for code in told - {"title", "back", "other"} if f'"{code}"' not in sources) == []


def test_every_secret_that_a_person_replaces_has_its_steps_in_both_languages() -> None:
    """Somebody stands before the vendor's page and looks for the button."""
    missing = []
    for kind in registry.kinds():
        for field in registry.get(kind).manifest.fields:
            if field.secret and field.renewal in NEEDS_STEPS:
                missing += [
                    (kind, field.name, locale) for locale in ("ru", "en") if not steps_of(kind, field.name, locale)
                ]
    assert missing == []
    assert steps_of("bot", "nothing", "ru") == []


def test_steps_lead_to_keys_that_are_there() -> None:
    """A renamed key would lose its steps unseen."""
    keys = {f"steps.{kind}.{field.name}" for kind in registry.kinds() for field in registry.get(kind).manifest.fields}
    assert sorted({key for key in read_file("secrets", "en") if key.startswith("steps.")} - keys) == []
    assert secret_words("en").locale == "en"
