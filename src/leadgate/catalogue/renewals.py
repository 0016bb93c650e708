"""What a person has to click at a vendor so that a secret can be replaced."""

from __future__ import annotations

from leadgate.catalogue.texts import read_file


def steps_of(kind: str, key: str, locale: str) -> list[str]:
    """The clicks for a key of a kind of connection, one a line; none where nobody has to click."""
    text = read_file("secrets", locale).get(f"steps.{kind}.{key}", "")
    return str(text).splitlines()
