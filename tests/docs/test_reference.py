"""What stands in docs/reference is what the code does; the pages are written by `make reference`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from cyclopts import App

import leadgate.errors
from leadgate import registry
from leadgate.cli.main import build
from leadgate.errors import LeadgateError
from leadgate.model.deliveries import DeliveryState
from leadgate.model.events import EventState
from leadgate.observability import metrics
from leadgate.observability.logs import FIELDS
from leadgate.settings import SETTINGS
from leadgate.web.catalogue import load_catalogue
from tests.docs.pages import ROOT, read

REFERENCE = ROOT / "docs" / "reference"


def test_the_pages_are_those_that_the_code_gives() -> None:
    """A page that was not written anew lies about the code; the cure is `make reference`."""
    script = ROOT / "scripts" / "reference.py"
    run = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, timeout=60, check=False)
    assert run.stdout + run.stderr == ""
    assert run.returncode == 0


def test_every_setting_has_its_row() -> None:
    """Nobody sets what they cannot look up."""
    page = read(REFERENCE / "settings.md")
    assert [s.name for s in SETTINGS if f"| `{s.name}` |" not in page] == []


def test_every_command_has_its_section_and_an_example() -> None:
    """`--help` of each shows one too."""
    page = read(REFERENCE / "cli.md")
    missing = [path for path, _ in _commands(build()) if f"\n## leadgate {path}\n" not in page]
    assert missing == []
    assert page.count("```console") == len(list(_commands(build())))


def test_every_error_class_has_its_code() -> None:
    """Also one that nobody raises yet."""
    page = read(REFERENCE / "errors.md")
    codes = {error.code for error in _subclasses(LeadgateError) if error.__module__ == leadgate.errors.__name__}
    assert sorted(code for code in codes if f"| `{code}` |" not in page) == []


@pytest.mark.parametrize(
    "code", ["webhook.signature_mismatch", "bitrix24.timeout", "bitrix24.revoked", "staff.name_taken"]
)
def test_codes_that_are_no_classes_are_found(code: str) -> None:
    """The reading of the source must not silently find nothing: one code of each way in which codes are made."""
    assert f"| `{code}` |" in read(REFERENCE / "errors.md")


def test_every_metric_has_its_row() -> None:
    """Whoever draws a graph must know what it shows."""
    page = read(REFERENCE / "metrics.md")
    names = [f"{m.name}_total" if m.type == "counter" else m.name for m in metrics.registry.collect()]
    assert [name for name in names if f"| `{name}` |" not in page] == []


def test_every_log_field_has_its_row() -> None:
    """An operator reads lines at night."""
    page = read(REFERENCE / "logs.md")
    assert sorted(field for field in FIELDS if f"| `{field}` |" not in page) == []


def test_every_error_line_has_a_runbook_page() -> None:
    """`error` means that a human must act; then somebody must say how."""
    table = read(REFERENCE / "logs.md").partition("level error\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| `")]
    assert rows
    assert [event for event, page in rows if "../runbook/" not in page] == []


def test_every_kind_has_its_page_and_keys() -> None:
    """The form in the browser and the page say the same."""
    page = read(REFERENCE / "connections.md")
    for kind in registry.kinds():
        assert f"\n## {kind}\n" in page
        assert (ROOT / "docs" / "integrations" / f"{kind}.md").is_file()
        assert [f.name for f in registry.get(kind).manifest.fields if f"| `{f.name}` |" not in page] == []


def test_the_glossary_says_what_the_pages_say() -> None:
    """One word, one meaning, in both languages."""
    words, page = load_catalogue("ru"), read(ROOT / "docs" / "glossary.md")
    for kind, states in (("event", EventState), ("delivery", DeliveryState)):
        for state in states:
            russian = words(f"state.{kind}.{state.value}").replace("\N{NO-BREAK SPACE}", " ")
            assert f"| {kind} `{state.value}` | {russian} |" in page


def _commands(app: App, path: str = "") -> Iterator[tuple[str, App]]:
    for name in app:
        if not name.startswith("-"):
            inner = list(_commands(app[name], f"{path}{name} "))
            if not inner or app[name].default_command is not None:
                yield f"{path}{name}", app[name]
            yield from inner


def _subclasses(error: type[LeadgateError]) -> Iterator[type[LeadgateError]]:
    yield error
    for child in error.__subclasses__():
        yield from _subclasses(child)
