"""A database for each engine of the storage suite."""

from collections.abc import Iterator

import pytest

from leadgate.testing.databases import postgres_copy


@pytest.fixture(scope="session")
def postgres_shared(postgres_url: str) -> Iterator[str]:
    """One up-to-date PostgreSQL database for all tests of the suite."""
    with postgres_copy(postgres_url) as database_url:
        yield database_url
