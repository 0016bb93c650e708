"""The file of a person misses nothing: every table that holds something of a person is in it, or says why not."""

from __future__ import annotations

import pytest
from sqlalchemy import Table, UniqueConstraint

from leadgate.app.subjects import Subjects
from leadgate.model.person_file import PersonFile
from leadgate.rights.gathering import NOT_IN_FILE, SEALED, TABLES
from leadgate.rights.request_part import TABLES as REQUEST_TABLES
from leadgate.storage.schema import metadata

PARTS_OF_ROOMS = set(REQUEST_TABLES)
"""Tables that other rooms bring into the file by a `Part` of theirs."""


def own_ids(table: Table) -> set[str]:
    """The columns by which other tables name a row of this one."""
    keys = [{column.name for column in table.primary_key}]
    keys += [{c.name for c in k.columns} for k in table.constraints if isinstance(k, UniqueConstraint)]
    single = [key - {"workspace_id"} for key in keys]
    return {name for key in single if len(key) == 1 for name in key if name.endswith("_id")}


def about_persons() -> set[str]:
    """Tables with a subject's id, and those that name a row of such a table."""
    ids, found = {"subject_id", "into_subject_id"}, set[str]()
    while True:
        reached = {table.name for table in metadata.sorted_tables if ids & {column.name for column in table.columns}}
        if reached == found:
            return found
        found = reached
        for name in found:
            ids |= own_ids(metadata.tables[name])


def test_every_table_of_persons_is_in_the_file_or_says_why_not() -> None:
    """A table that somebody adds next year is seen here first."""
    assert about_persons() - set(TABLES) - set(NOT_IN_FILE) - PARTS_OF_ROOMS == set()


def test_the_walk_finds_what_is_known_to_be_about_persons() -> None:
    """Else the test above would pass on nothing."""
    assert {"subjects", "messages", "attempts", "message_fates", "accepted_leads"} <= about_persons()
    assert not {"staff", "rules", "connections"} & about_persons()


def test_the_tables_are_there_and_so_are_the_parts_of_the_file() -> None:
    """A name that is wrong here would hide a table."""
    assert set(TABLES) | set(NOT_IN_FILE) <= set(metadata.tables)
    assert set(TABLES.values()) <= set(PersonFile.__dataclass_fields__)
    assert not set(TABLES) & set(NOT_IN_FILE)


@pytest.mark.parametrize("table", TABLES)
def test_every_sealed_column_is_opened_into_the_file(table: str) -> None:
    """What is sealed is what matters most."""
    sealed = {
        f"{table}.{column.name}" for column in metadata.tables[table].columns if column.name.startswith("sealed_")
    }
    assert sealed <= set(SEALED)


def test_the_parts_of_other_rooms_come_with_their_tables() -> None:
    """`Subjects` takes them; nothing else has to be changed."""
    assert "parts" in Subjects.__init__.__annotations__
