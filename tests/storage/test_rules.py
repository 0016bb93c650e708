"""What the owner decided is kept by name, with who decided it and how often it was decided anew."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from leadgate.storage.engines import make_engine
from leadgate.storage.transaction import SqlTransaction
from leadgate.testing.connections import NOW
from leadgate.testing.databases import bring_up, sqlite_url


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_a_rule_is_the_last_decision_and_counts_the_earlier_ones(
    engine_name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Another salon's rule of the same name is not ours."""
    if engine_name == "sqlite":
        url = sqlite_url(tmp_path)
    else:
        url = request.getfixturevalue("postgres_database")
        bring_up(url)
    engine = make_engine(url)
    with engine.connect() as connection:
        ours, theirs = SqlTransaction(connection, "ws").rules, SqlTransaction(connection, "other").rules
        assert ours.find("retention") is None
        assert ours.set("retention", b"{}", by="staff_1", at=NOW) == 1
        assert ours.set("retention", b'{"bodies":7}', by="command", at=NOW + timedelta(hours=1)) == 2
        rule = ours.find("retention")
        assert rule is not None
        assert (rule.body, rule.version, rule.changed_by) == (b'{"bodies":7}', 2, "command")
        assert rule.changed_at == NOW + timedelta(hours=1)
        assert theirs.find("retention") is None
    engine.dispose()
