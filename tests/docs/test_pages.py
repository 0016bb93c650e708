"""Links lead somewhere; commands, options, files and targets that a page shows exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cyclopts import App

from leadgate.cli.main import build
from tests.docs.pages import ROOT, all_pages, anchors, commands, inline_code, links, read

PAGES = [pytest.param(path, id=path.relative_to(ROOT).as_posix()) for path in all_pages()]
READMES = [ROOT / "README.md", ROOT / "README.ru.md"]
_PATH = re.compile(r"(?:docs|tests|scripts|src|requirements|changelog\.d)/[\w./-]+")
_MADE_UP = ("integrations/acme", "howto/connect-acme", "changelog.d/+", "tests/unit", "NNNN")
"""Parts of paths that a page shows as an example."""


@pytest.mark.parametrize("path", PAGES)
def test_no_link_is_dead(path: Path) -> None:
    """Neither the file nor the heading in it."""
    dead = []
    for link in links(read(path)):
        file, _, heading = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (heading and heading not in anchors(read(target))):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("path", PAGES)
def test_files_that_a_page_names_are_there(path: Path) -> None:
    """A test or a module that was moved takes its mention along."""
    named = {found[0].rstrip(".") for code in inline_code(read(path)) if (found := _PATH.fullmatch(code))}
    gone = [name for name in sorted(named) if not (ROOT / name).exists() and not any(part in name for part in _MADE_UP)]
    assert gone == []


@pytest.mark.parametrize("path", PAGES)
def test_commands_that_a_page_shows_exist_with_their_options(path: Path) -> None:
    """Nothing costs a newcomer more trust than a command that is not there."""
    wrong = [" ".join(words) for words in commands(read(path), "leadgate") if not _is_known(words)]
    assert wrong == []


@pytest.mark.parametrize("path", PAGES)
def test_targets_of_make_that_a_page_shows_exist(path: Path) -> None:
    """As for commands."""
    targets = set(re.findall(r"^([a-z-]+):", read(ROOT / "Makefile"), re.MULTILINE))
    shown = {words[0] for words in commands(read(path), "make") if words and re.fullmatch("[a-z-]+", words[0])}
    assert sorted(shown - targets) == []


@pytest.mark.parametrize("readme", READMES, ids=["en", "ru"])
def test_the_two_commands_come_first(readme: Path) -> None:
    """Whoever tries it reads no further than the first block."""
    first = read(readme).partition("```console\n")[2].partition("```")[0]
    assert first == "make run\nmake test\n"


def test_both_readmes_lead_to_the_same_places() -> None:
    """What is worth reading in one language is worth it in the other."""
    english, russian = ({link for link in links(read(path)) if not link.startswith("README")} for path in READMES)
    assert russian - english == set()
    assert english - russian <= {"docs/howto/add-a-channel.md"}


def test_every_runbook_page_stands_in_the_list() -> None:
    """An operator starts at the list."""
    listed = set(links(read(ROOT / "docs" / "runbook" / "README.md")))
    pages = {path.name for path in (ROOT / "docs" / "runbook").glob("*.md")} - {"README.md"}
    assert pages - listed == set()


def test_commands_are_found_where_pages_show_them() -> None:
    """The reading of pages itself must be able to fail."""
    page = "Say `leadgate wishes grant`.\n```console\nsudo -u x /opt/bin/leadgate init --name \\\n  N  # why\n```\n"
    assert list(commands(page, "leadgate")) == [["init", "--name", "N"], ["wishes", "grant"]]
    assert not _is_known(["wishes", "grant"])
    assert not _is_known(["init", "--no-such-option"])
    assert _is_known(["connections", "show", "conn_…"])


def _is_known(words: list[str]) -> bool:
    if not words or words[0] in {"COMMAND", "--version", "--help"} or not re.fullmatch(r"[a-z0-9-]+", words[0]):
        return True  # the program itself, or a word of prose
    app: App = build()
    rest = list(words)
    while rest and not rest[0].startswith("-") and rest[0] in app:
        app = app[rest.pop(0)]
    if app.name == ("leadgate",) or (_is_group(app) and rest and rest[0] not in {"…", "list"}):
        return False
    options = {name for argument in app.assemble_argument_collection(parse_docstring=True) for name in argument.names}
    return all(word.partition("=")[0] in options | {"--help"} for word in rest if re.match("--[a-z]", word))


def _is_group(app: App) -> bool:
    """It holds commands and does nothing by itself."""
    return bool(list(_inner(app))) and app.default_command is None


def _inner(app: App) -> list[str]:
    return [name for name in app if not name.startswith("-")]
