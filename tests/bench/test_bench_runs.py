import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.timeout(300)  # half a minute on a calm machine; it starts some thirty processes
def test_the_quick_mode_measures_every_section_and_writes_its_figures(tmp_path: Path) -> None:
    """A benchmark that nobody runs rots: each section must still start its servers, load them and report. No time is asserted."""
    out = tmp_path / "bench.json"
    command = (sys.executable, "-m", "bench", "--quick", "--out", str(out))
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    figures = {figure["name"]: figure["value"] for figure in json.loads(out.read_text(encoding="utf-8"))["figures"]}
    assert figures["role intake: signed leads: share of bare"] > 0
    assert figures["role all: Telegram updates: refused"] == 0
    assert figures["message to reply: without a reply or refused"] == 0
    assert figures["10000 old events: claiming work"] > 0
    assert figures["start: leadgate demo, warm, to ready"] > 0
    assert figures["parse: telegram: events a second"] > 0
    assert figures["drain of 60 leads: requests refused"] == 0
    assert "message to reply: p99" in done.stdout
