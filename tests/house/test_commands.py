"""The commands of the Makefile, the locks they install from, the reasons beside what the tools let pass."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
COMMANDS = ("run", "venv", "test", "check", "lint", "types", "imports", "bench", "help")
LOCKS = ("run.txt", "dev.txt", "build.txt")


def make(*arguments: str) -> str:
    """Runs make and gives what it printed."""
    return subprocess.run(
        ["make", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
        stdin=subprocess.DEVNULL,
    ).stdout


def test_help_names_every_command_with_a_sentence() -> None:
    """People find a command by asking; a bare `make` tells them too."""
    lines = make("help").splitlines()
    for command in COMMANDS:
        assert [line for line in lines if re.match(rf"  make {command} +\w.*", line)], command
    assert make() == make("help")


def test_the_gate_is_lint_types_imports_and_then_the_tests() -> None:
    """`make check` promises everything that CI will ask."""
    planned = make("--dry-run", "check")
    places = [planned.index(tool) for tool in ("bin/ruff check", "bin/mypy", "bin/lint-imports", "-m pytest")]
    assert places == sorted(places)


def test_ci_runs_the_same_commands_as_people_do() -> None:
    """A gate of its own in CI would drift from the one that people run."""
    steps = re.findall(r"^(?:timeout .*)?\bmake (\w+)(?: ARGS=.*)?$", (PROJECT / ".ci/run").read_text(), re.MULTILINE)
    assert steps == ["lint", "types", "imports", "test"]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_pins_by_hash_and_names_no_registry(name: str) -> None:
    """What is installed is what was tried, from whichever registry or mirror one uses."""
    text = (PROJECT / "requirements" / name).read_text()
    requirements = re.findall(r"^[a-z0-9].*?(?=^[a-z0-9]|\Z)", text, flags=re.MULTILINE | re.DOTALL)
    assert requirements
    assert [entry for entry in requirements if "==" not in entry or "--hash=sha256:" not in entry] == []
    assert "://" not in text


def test_packages_of_two_locks_have_one_version() -> None:
    """The locks share one environment: a second version in a later lock would replace the first."""
    pinned = [
        set(
            re.findall(
                r"^([a-z0-9._-]+(?:\[[^]]*\])?)==(\S+)",
                (PROJECT / "requirements" / name).read_text(),
                re.MULTILINE,
            )
        )
        for name in LOCKS
    ]
    versions = dict(set.union(*pinned))
    assert [item for lock in pinned for item in lock if versions[item[0]] != item[1]] == []


def test_the_build_lock_is_made_from_what_the_package_asks_for() -> None:
    """The package is installed without pip's isolated build, so its backend has to come from the lock."""
    asked = tomllib.loads((PROJECT / "pyproject.toml").read_text())["build-system"]["requires"]
    written = (PROJECT / "requirements/build.in").read_text().splitlines()
    assert [line for line in written if not line.startswith("#")] == asked


def test_every_lint_rule_that_is_off_says_why() -> None:
    """An exception without a reason is never taken back."""
    text = (PROJECT / "pyproject.toml").read_text()
    section = text[text.index("[tool.ruff.lint]") : text.index("[tool.ruff.lint.flake8-tidy-imports]")]
    rules = [line for line in section.splitlines() if re.search(r'"[A-Z]+[0-9]*"[],]', line)]
    assert len(rules) > 20
    assert [line for line in rules if not re.search(r"# \S.{4,}", line) and "select = [" not in line] == []


def test_every_exception_in_the_code_says_why() -> None:
    """As above, for the single line."""
    silent = re.compile(r"#\s*(noqa(?!:\s*[A-Z0-9, ]+\s\S)|type:\s*ignore(?!\[[a-z, -]+\]\s+\S))")
    found = [
        f"{path.relative_to(PROJECT)}:{number}"
        for folder in ("src", "tests", "scripts")
        for path in sorted((PROJECT / folder).rglob("*.py"))
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if silent.search(line)
    ]
    assert found == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    """A reader finds the file by guessing its path; nobody guesses `utils`."""
    vague = {"util", "utils", "helper", "helpers", "manager", "common", "misc"}
    assert [path for path in (PROJECT / "src").rglob("*.py") if path.stem in vague or path.parent.name in vague] == []
