from __future__ import annotations

from pathlib import Path

from leadgate.sandbox.bitrix24 import FaultName
from leadgate.sandbox.bitrix24.faults import OPTIONS
from leadgate.sandbox.bitrix24.methods import METHODS

PAGE = Path(__file__).parents[3] / "docs" / "howto" / "sandbox.md"


def test_every_fault_has_its_row_and_every_option_its_name() -> None:
    """A fault that nobody can look up is not used."""
    page = PAGE.read_text(encoding="utf-8")
    table = page.partition("| name |")[2].partition("\n\n")[0]
    rows = {line.split("`")[1] for line in table.splitlines() if line.startswith("| `")}
    assert rows == {name.value for name in FaultName}
    assert [option for option in OPTIONS if f"`{option}`" not in page] == []


def test_every_method_is_listed() -> None:
    """By its name, or by its family and operation."""
    page = PAGE.read_text(encoding="utf-8")
    listed = [name for name in METHODS if name in page or _family(name) in page]
    assert sorted(set(METHODS) - set(listed)) == []


def _family(name: str) -> str:
    head, _, operation = name.rpartition(".")
    if head in {"crm.lead", "crm.deal", "crm.contact"}:
        return f"{head}.*"
    first = {"get": "add", "list": "add", "update": "add", "delete": "add", "fields": "add"}.get(operation, operation)
    return f"{head}.{first}|"
