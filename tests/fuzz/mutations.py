"""Bodies that are nearly true: JSON changed in its structure, then perhaps its bytes. Everything follows from the random source."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from leadgate.intake.untrusted import decode_json

ODD: tuple[object, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 10**700, 0.5, -0.0, 1e308),
    *(
        "",
        " ",
        "0",
        "-1",
        "\x00",
        "a\x00b",
        "\ud83d",
        "\ude00x",
        "\u202e",
        "\u200b",
        "٣",
        "é" * 300,
        "x" * 70_000,
        "{}",
        "[]",
    ),
    *("+7 900 000-01-01", "/start", "/start x", "null", "NaN", "../..", "https://[x", '{"a":{"b":[1]}}', "\r\n", "%00"),
    *([], {}, [[]], [None], [{}], {"": ""}, {"id": {}}, [1, 2, 3], ["\ud83d"]),
)
"""Values that somebody forgot to think of."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a document: a dictionary or list, and the key or index in it."""

    container: Any
    key: Any

    @property
    def value(self) -> Any:  # noqa: ANN401 - any JSON
        """What stands here."""
        return self.container[self.key]

    def put(self, value: object) -> None:
        """A copy, so that nothing is shared and no document contains itself."""
        self.container[self.key] = _copy(value)


def mutated(random: Random, seeds: Sequence[bytes]) -> bytes:
    """The next body: most keep the shape of a true one, some are hardly JSON."""
    body = random.choice(seeds)
    try:
        document = decode_json(body)
    except ValueError:
        return _raw(random, body, seeds)
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        places = _places(document)
        if places:
            random.choice(_CHANGES)(random, places, seeds)
    written = json.dumps(document, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
    return _raw(random, written, seeds) if random.random() < 0.2 else written


def _replace(random: Random, places: Sequence[Place], _seeds: Sequence[bytes]) -> None:
    random.choice(places).put(random.choice(ODD))


def _graft(random: Random, places: Sequence[Place], seeds: Sequence[bytes]) -> None:
    """A piece of another body: true values in the wrong place."""
    others = _places(decode_json(random.choice(seeds)))
    if others:
        random.choice(places).put(random.choice(others).value)


def _delete(random: Random, places: Sequence[Place], _seeds: Sequence[bytes]) -> None:
    place = random.choice(places)
    del place.container[place.key]


def _rename(random: Random, places: Sequence[Place], _seeds: Sequence[bytes]) -> None:
    """A key that belongs elsewhere, so that a branch of the parser meets another's content."""
    keyed = [place for place in places if isinstance(place.container, dict)]
    if keyed:
        place = random.choice(keyed)
        place.container[random.choice(keyed).key] = place.container.pop(place.key)


def _wrap(random: Random, places: Sequence[Place], _seeds: Sequence[bytes]) -> None:
    place = random.choice(places)
    value = place.value
    place.put(random.choice(([value], {"value": value}, [value, value], str(value))))


def _repeat(random: Random, places: Sequence[Place], _seeds: Sequence[bytes]) -> None:
    """Lists with the same event twice, with hundreds, or in another order."""
    lists = [place.value for place in places if isinstance(place.value, list)]
    if lists:
        found = random.choice(lists)
        found.extend(_copy(item) for item in found[:5] * random.choice((1, 1, 2, 40)))
        random.shuffle(found)


_CHANGES: tuple[Callable[[Random, Sequence[Place], Sequence[bytes]], None], ...] = (
    *(_replace, _replace, _replace),
    *(_graft, _delete, _rename, _wrap, _repeat),
)


def _places(document: object) -> list[Place]:
    """Every place below the whole."""
    found: list[Place] = []
    waiting = [document]
    while waiting:
        container = waiting.pop()
        keys = (
            container if isinstance(container, dict) else range(len(container)) if isinstance(container, list) else ()
        )
        inner = [Place(container, key) for key in keys]
        found += inner
        waiting += [place.value for place in inner]
    return found


def _copy(value: object) -> object:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _raw(random: Random, body: bytes, seeds: Sequence[bytes]) -> bytes:
    """Changed bytes: cut, flipped, doubled, foreign, escaped by half, nested without end."""
    at = random.randrange(len(body) + 1)
    flipped = bytearray(body or b"x")
    flipped[at % len(flipped)] ^= 1 << random.randrange(8)
    sign = random.choice((b'":-', b'":[', b'"  :\n', b'":"\\ud800'))
    changed: tuple[Callable[[], bytes], ...] = (
        lambda: body[:at],
        lambda: bytes(flipped),
        lambda: body[:at] + random.randbytes(random.choice((1, 2, 40))) + body[at:],
        lambda: body + random.choice(seeds),
        lambda: body.replace(b'":', sign, random.choice((1, -1))),
        lambda: body.replace(b"{", b'{"a":1,"a":', 1),
        lambda: body[:at] + b"[" * random.choice((1, 600, 100_000)) + body[at:],
        lambda: random.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\x00")) + body,
    )
    return random.choice(changed)()
