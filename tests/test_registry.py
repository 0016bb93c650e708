import subprocess
import sys
from pathlib import Path

import pytest

from leadgate import registry
from leadgate.errors import ConfigurationError
from leadgate.testing.quality import quality_problems, read_quality


@pytest.mark.parametrize("kind", registry.kinds())
def test_every_kind_has_its_integration(kind: str) -> None:
    """A line in the list without a folder would fail at a customer's."""
    integration = registry.get(kind)
    assert integration.manifest.kind == kind
    assert registry.get(kind) is integration


def test_an_unknown_kind_is_answered_with_the_known_ones() -> None:
    """The error says what to do next."""
    with pytest.raises(ConfigurationError, match="telegram"):
        registry.get("telegramm")


def test_a_line_that_names_another_vendor_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slip in the list must not send one vendor's webhooks to another's parser."""
    monkeypatch.setitem(registry._MANIFESTS, "telegran", "leadgate.integrations.telegram.manifest")  # noqa: SLF001 - a slip in the list itself
    with pytest.raises(ConfigurationError, match="telegran"):
        registry.get("telegran")


def test_the_example_to_copy_is_not_offered() -> None:
    """Hello exists for people who write integrations."""
    assert "hello" not in registry.kinds()


def test_the_list_alone_imports_no_vendor() -> None:
    """`leadgate --help` is quick because vendors are imported on first use."""
    code = "import sys, leadgate.registry; sys.exit('leadgate.integrations' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_quality_without_a_reason_is_a_problem(tmp_path: Path) -> None:
    """The reader of the states can fail."""
    file = tmp_path / "quality.yaml"
    file.write_text("# a remark\nfixtures: exempt\nliev_check: done\n")
    problems = quality_problems(read_quality(file))
    assert "liev_check is no rule" in problems
    assert "live_check is missing" in problems
    assert "fixtures must be done, or todo or exempt with a reason" in problems
