from __future__ import annotations

import re
from pathlib import Path

import leadgate.integrations.bitrix24 as package
from leadgate.integrations.bitrix24.errors import RULES
from leadgate.testing.quality import quality_problems, read_quality

HERE = Path(package.__file__).parent
DOC = Path(__file__).parents[3] / "docs" / "integrations" / "bitrix24.md"


def test_every_house_rule_has_its_state() -> None:
    """A rule that is left out looks like one that is kept."""
    assert quality_problems(read_quality(HERE / "quality.yaml")) == []


def test_every_finding_of_the_check_is_in_the_page() -> None:
    """Somebody who reads a code on a screen must find its cure."""
    told = re.findall(r'"(bitrix24\.[a-z_]+)",\n?\s*FindingState', (HERE / "check.py").read_text("utf-8"))
    page = DOC.read_text("utf-8")
    assert len(told) >= 12
    assert [code for code in told if f"`{code}`" not in page] == []


def test_every_code_of_ours_is_in_the_page() -> None:
    """Words of our own, unlike the portal's, can be looked up nowhere else."""
    ours = set()
    for name in ("client.py", "deliver.py", "plan.py", "reads.py", "look_up.py", "entries.py"):
        text = (HERE / name).read_text("utf-8")
        ours |= set(re.findall(r'(?:not_sent|unclear)\("([a-z_]+)"', text))
        ours |= set(re.findall(r'"bitrix24\.([a-z_]+)"', text))
    page = DOC.read_text("utf-8")
    assert len(ours) >= 10
    assert [code for code in sorted(ours) if f"`bitrix24.{code}`" not in page] == []


def test_codes_are_upper_case_in_the_table() -> None:
    """The portal writes some in lower case; we compare in upper case."""
    assert all(code == code.upper() for code in RULES)
