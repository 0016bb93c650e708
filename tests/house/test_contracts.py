"""Each rule of `.importlinter`, and the ban on crypto libraries, turns red when it is broken.

The rules run over a skeleton of the house, every room of the floors and empty, with one wrong import planted.
So the tests say what the rules do and not what state the house is in; `make imports` judges the house itself.
"""

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

PLANTED = [
    pytest.param("floors", "intake/receive.py", "import leadgate.storage", id="a-floor-imports-upwards"),
    pytest.param("floors", "crm/leads.py", "import leadgate.dialogue", id="rooms-of-one-floor-know-one-another"),
    pytest.param("floors", "cellar/__init__.py", "", id="a-room-stands-on-no-floor"),
    pytest.param("cycles", "errors.py", "import leadgate.settings", id="a-cycle"),
    pytest.param("vendors", "integrations/hello/send.py", "import leadgate.integrations.world", id="a-vendor-knows"),
    pytest.param("registry", "app.py", "import leadgate.integrations.hello", id="a-vendor-is-named-elsewhere"),
    pytest.param("core", "delivery/worker.py", "import sqlalchemy.exc", id="the-core-imports-sql"),
    pytest.param("core", "ports/channel.py", "from httpx import Response", id="a-port-imports-http"),
    pytest.param("core", "crm/__init__.py", "import litestar", id="the-door-of-a-room-imports-the-web"),
    pytest.param("core", "newcomer/__init__.py", "import sqlite3", id="a-new-room-imports-sql"),
    pytest.param("model", "model/events.py", "import msgspec", id="the-model-imports-a-library"),
    pytest.param("testing", "web/pages.py", "import leadgate.testing", id="production-imports-a-test-helper"),
]


def rules() -> configparser.ConfigParser:
    """Reads the rules as they stand."""
    parser = configparser.ConfigParser()
    parser.read(PROJECT / ".importlinter")
    return parser


def contract_names() -> set[str]:
    """Gives the short names of all rules."""
    return {section.rsplit(":", 1)[1] for section in rules().sections() if ":contract:" in section}


@pytest.fixture
def skeleton(tmp_path: Path) -> Path:
    """Builds the house of the floors with empty rooms and two vendors, and gives its `leadgate` folder."""
    floors = rules()["importlinter:contract:floors"]["layers"]
    package = tmp_path / "leadgate"
    rooms = [*re.findall(r"\w+", floors), "testing", "integrations/hello", "integrations/world"]
    single_modules = {"app", "registry", "settings", "errors"}
    for room in rooms:
        if room not in single_modules:
            (package / room).mkdir(parents=True)
            (package / room / "__init__.py").touch()
    for module in [*single_modules, "__init__", "__main__"]:
        (package / f"{module}.py").touch()
    (package / "settings.py").write_text("import leadgate.errors\n")
    return package


def run(*command: str | Path, cwd: Path, text: str = "") -> subprocess.CompletedProcess[str]:
    """Runs a tool on the files under `cwd` alone, whatever is installed."""
    environment = {"PYTHONPATH": str(cwd), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=cwd, env=environment, input=text, capture_output=True, text=True, check=False)


def lint(package: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Runs our rules, all or those that the options name, over a skeleton."""
    file = PROJECT / ".importlinter"
    return run(BIN / "lint-imports", "--config", file, "--no-cache", "--no-logo", *options, cwd=package.parent)


@pytest.mark.parametrize(("contract", "path", "line"), PLANTED)
def test_a_planted_import_breaks_its_rule(skeleton: Path, contract: str, path: str, line: str) -> None:
    """A rule that cannot fail guards nothing."""
    planted = skeleton / path
    planted.parent.mkdir(exist_ok=True)
    planted.write_text(f"{line}\n")

    result = lint(skeleton, "--contract", contract)

    assert "Contracts: 0 kept, 1 broken." in result.stdout, result.stdout
    assert result.returncode == 1


def test_an_empty_house_keeps_every_rule(skeleton: Path) -> None:
    """The planted line alone turns a rule red, not the skeleton around it."""
    result = lint(skeleton)
    assert f"Contracts: {len(contract_names())} kept, 0 broken." in result.stdout, result.stdout
    assert result.returncode == 0


def test_every_rule_has_a_planted_violation() -> None:
    """A new rule comes with a proof that it can fail."""
    assert contract_names() == {parameters.values[0] for parameters in PLANTED}


@pytest.mark.parametrize(
    ("room", "is_refused"),
    [("crm", True), ("web", True), ("storage", True), ("vault", False), ("audit", False)],
)
@pytest.mark.parametrize("line", ["import tink", "from cryptography.hazmat.primitives import hashes"])
def test_only_vault_and_audit_call_a_crypto_library(room: str, line: str, is_refused: bool) -> None:
    """Keys stay in two rooms that can be read in an afternoon; a new room has the ban from its first line."""
    file = f"src/leadgate/{room}/x.py"
    options = ("--select=TID251", "--no-cache", f"--stdin-filename={file}", "-")
    result = run(BIN / "ruff", "check", *options, cwd=PROJECT, text=f"{line}\n")
    assert (result.returncode == 1) is is_refused, result.stdout
    assert ("ask the vault" in result.stdout) is is_refused
