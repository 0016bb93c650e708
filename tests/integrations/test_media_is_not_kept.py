"""A photo of a client's skin is health data: of a message with a file nothing is kept that leads to the file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from leadgate import registry
from leadgate.model.events import EventKind
from leadgate.model.webhooks import VerifiedWebhook
from leadgate.testing.connections import open_connection

HERE = Path(__file__).parent
WAYS = frozenset(
    {"file_id", "file_unique_id", "photo_id", "image_id", "voice_id", "token", "access_key", "sha256", "url", "link"}
)
"""Names under which vendors hand out what a file can be fetched by."""


def leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    """Every text and number of a body with the name it stands under."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, name)
    elif isinstance(value, str | int):
        yield name, str(value)


def bodies() -> Iterator[tuple[str, Path]]:
    """Real bodies of every messenger."""
    for kind in sorted(registry.kinds()):
        for path in sorted((HERE / kind / "fixtures").glob("*.json")):
            yield kind, path


def media_of(kind: str, path: Path) -> list[str]:
    """Normalised events of files in a body, as JSON."""
    receiver = registry.get(kind).receiver
    if receiver is None:
        return []
    webhook = VerifiedWebhook(natural_key="", conversation_key=None, body=path.read_bytes())
    facts = receiver.parse(webhook, open_connection(kind))
    return [msgspec.json.encode(fact).decode() for fact in facts if fact.kind is EventKind.MEDIA]


MEDIA = [pytest.param(kind, path, id=f"{kind}/{path.stem}") for kind, path in bodies() if media_of(kind, path)]


def test_every_messenger_that_brings_files_is_looked_at() -> None:
    """Else the test below would be green for having nothing to read."""
    assert {str(case.values[0]) for case in MEDIA} >= {"avito", "instagram", "max", "telegram", "whatsapp"}


@pytest.mark.parametrize(("kind", "path"), MEDIA)
def test_no_way_to_a_file_outlives_the_raw_body(kind: str, path: Path) -> None:
    """What the dialogue, the chat and the CRM are made from knows that there was a file, not where it lies."""
    body = json.loads(path.read_bytes())
    ways = {text for name, text in leaves(body) if text.startswith("http") or name in WAYS or name.endswith("_url")}
    for fact in media_of(kind, path):
        assert [way for way in ways if len(way) > 5 and way in fact] == []
        assert "http" not in fact
