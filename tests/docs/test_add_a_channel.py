"""Does what docs/howto/add-a-channel.md says, in a copy of the house, and looks at what follows from the manifest."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import pytest

from leadgate.testing.gateway import Gateway
from leadgate.testing.waiting import until

PROJECT = Path(__file__).parents[2]
GUIDE = PROJECT / "docs" / "howto" / "add-a-channel.md"
COPIED = (
    "src/leadgate",
    "scripts",
    "docs",
    "tests/conftest.py",
    "tests/integrations/hello",
    "tests/fuzz",
    "pyproject.toml",
)
TOKEN = "a-marked-token-of-acme"
SECRET = "a-marked-secret-of-acme"


def block(heading: str, language: str) -> str:
    """The first block of code under a heading of the guide."""
    section = GUIDE.read_text("utf-8").partition(f"\n## {heading}")[2].partition("\n## ")[0]
    return re.search(rf"```{language}\n(.*?)```", section, re.DOTALL)[1]  # type: ignore[index]  # the guide has it, or the test is red


def tree(house: Path) -> dict[str, bytes]:
    """Every file of a house by its path."""
    files = (path for path in house.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(house).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the house, with Acme added to it as the guide says."""
    house = tmp_path_factory.mktemp("house")
    for name in COPIED:
        source, target = PROJECT / name, house / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    before = tree(house)
    subprocess.run(["bash", "-ec", block("2.", "console")], cwd=house, check=True)
    registry = house / "src/leadgate/registry.py"
    head, brace, rest = registry.read_text("utf-8").partition("_MANIFESTS = {\n")
    registry.write_text(head + brace + block("4.", "python") + rest, "utf-8")
    (house / "changed.json").write_text(json.dumps(sorted(_changes(before, tree(house)))))
    return house


def _changes(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> set[str]:
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}


def run(house: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A Python program of the copy, with the copy's product."""
    environment = {**os.environ, "PYTHONPATH": f"{house / 'src'}:{house}", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=house, env=environment, capture_output=True, text=True, check=False
    )


def test_one_line_and_new_files_are_all(house: Path) -> None:
    """Whatever else had to change would have to be known by everybody who adds a channel."""
    changed = json.loads((house / "changed.json").read_text())
    ours = re.compile(
        r"src/leadgate/integrations/acme/.*|tests/integrations/acme/.*|src/leadgate/testing/acme_server\.py"
    )
    assert [name for name in changed if not ours.fullmatch(name)] == ["src/leadgate/registry.py"]
    assert len(block("4.", "python").splitlines()) == 1
    assert not [name for name in changed if ours.fullmatch(name) and b"hello" in (house / name).read_bytes().lower()]


def test_its_own_tests_and_the_fuzz_pass(house: Path) -> None:
    """What is copied begins right, and the suites find it."""
    tested = run(house, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/integrations/acme")
    assert tested.returncode == 0, tested.stdout
    assert int(re.search(r"(\d+) passed", tested.stdout)[1]) > 60  # type: ignore[index]  # pytest says so, or the test is red
    fuzzed = run(house, "-m", "tests.fuzz", "--kind", "acme", "--seconds", "1")
    assert fuzzed.returncode == 0, fuzzed.stdout + fuzzed.stderr


def test_the_reference_lists_it(house: Path) -> None:
    """Keys with what they are, and codes with what they mean."""
    written = run(house, "scripts/reference.py")
    assert written.returncode == 0, written.stderr
    pages = {name: (house / "docs/reference" / f"{name}.md").read_text("utf-8") for name in ("connections", "errors")}
    acme = pages["connections"].partition("\n## acme\n")[2].partition("\n## ")[0]
    assert "`token` | secret | required" in acme
    assert "`webhook_secret` | secret | made when absent" in acme
    assert "`api_base` | setting | default `https://acme.invalid`" in acme
    assert "`acme.blocked`" in pages["errors"]


def test_bodies_are_parsed_on_the_command_line(house: Path) -> None:
    """Without a line for it in the command."""
    parsed = run(house, "-m", "leadgate", "parse", "acme", "tests/integrations/acme/fixtures/said__words.json")
    assert json.loads(parsed.stdout)["kind"] == "text", parsed.stderr
    unknown = run(house, "-m", "leadgate", "parse", "acmee", "x.json")
    assert "acme" in unknown.stderr


@pytest.fixture
async def gateway(house: Path, tmp_path: Path) -> AsyncIterator[Gateway]:
    """The copy runs, with its owner's password set."""
    async with Gateway(tmp_path / "data", environment={"PYTHONPATH": str(house / "src")}) as gateway:
        yield gateway


async def test_form_masking_and_routes_follow_from_the_manifest(gateway: Gateway) -> None:
    """The page asks for the keys, nothing shows them again, and the address takes what is proven."""
    made = await gateway.ask("init", "--workspace-name", "Лимон")
    secrets = {"token": TOKEN, "webhook_secret": SECRET}
    connected = await gateway.connect("acme", "Acme", secrets=secrets, check=False, api_base="https://acme.invalid")
    assert connected["webhook_path"].startswith("/webhooks/acme/conn_")
    generated = await gateway.connect("acme", "Другой", secrets={"token": TOKEN}, check=False)
    assert len(generated["webhook_secret"]) > 30

    await gateway.start()
    url = gateway.url + connected["webhook_path"]
    body = b'{"id":1,"kind":"said","from":"u-1","text":"\xd0\xb4\xd0\xb0"}'
    async with httpx.AsyncClient() as client:
        for secret, status in ((SECRET, 200), (SECRET, 200), ("wrong", 401)):
            answer = await client.post(url, content=body, headers={"x-acme-secret": secret})
            assert answer.status_code == status
        form = {"name": "Гузель", "password": "лимонад и корица", "password_again": "лимонад и корица"}
        setup = made["setup_url"].partition("/setup/")[2]
        assert (await client.post(f"{gateway.url}/setup/{setup}", data=form)).status_code == 303
        assert 'href="/connections/new/acme"' in (await client.get(f"{gateway.url}/connections/new")).text
        asked = (await client.get(f"{gateway.url}/connections/new/acme")).text
        shown = (await client.get(f"{gateway.url}/connections/{connected['connection']}")).text
    for key, type_ in (("token", "password"), ("webhook_secret", "password"), ("api_base", "text")):
        assert re.search(rf'name="key-{key}" type="{type_}"', asked), key
    assert "Acme" in shown

    async def is_kept() -> bool:
        return [event["kind"] for event in (await gateway.ask("events", "list"))["items"]] == ["acme"]

    await until(is_kept, what="the one event is listed")
    listed = await gateway.ask("connections", "list")
    assert {one["kind"] for one in listed["items"]} == {"acme"}
    await gateway.ask("connections", "show", connected["connection"])
    assert [mark for mark in (TOKEN, SECRET) if mark in gateway.printed() + asked + shown] == []
