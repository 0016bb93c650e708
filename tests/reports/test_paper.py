"""Papers are printed from data alone: what a person wrote is text and never markup."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from leadgate.errors import ConfigurationError
from leadgate.reports.paper import print_paper

AT = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_a_template_that_is_not_there_is_said_without_its_data() -> None:
    """An error may be logged; what was to be printed may not."""
    with pytest.raises(ConfigurationError) as failed:
        print_paper("no_such_paper", {"name": "Алсу Примерова"}, at=AT)
    assert "Алсу" not in str(failed.value)
