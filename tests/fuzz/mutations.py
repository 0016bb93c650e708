"""Bodies that are nearly true: JSON changed in its structure, then perhaps its bytes. Everything follows from the random source."""

import json
from collections.abc import Callable, Sequence
from random import Random

from leadgate.intake.untrusted import decode_json

ODD: tuple[object, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 10**400, 0.5, -0.0, 1e308),
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

Paths = list[tuple[object, object]]
"""Places in a document: the container and the key or index in it."""


def mutated(random: Random, seeds: Sequence[bytes]) -> bytes:
    """The next body: most keep the shape of a true one, some are hardly JSON."""
    body = random.choice(seeds)
    try:
        document = decode_json(body)
    except ValueError:
        return _raw(random, body, seeds)
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        random.choice(_CHANGES)(random, document, seeds)
    written = json.dumps(document, ensure_ascii=random.random() < 0.5).encode("utf-8", "surrogatepass")
    return _raw(random, written, seeds) if random.random() < 0.2 else written


def _replace(random: Random, document: object, seeds: Sequence[bytes]) -> None:
    _put(random, document, random.choice(ODD))


def _graft(random: Random, document: object, seeds: Sequence[bytes]) -> None:
    """A piece of another body: true values in the wrong place."""
    other = decode_json(random.choice(seeds))
    paths = _paths(other)
    if paths:
        container, key = random.choice(paths)
        _put(random, document, container[key])  # type: ignore[index] - a container by construction


def _delete(random: Random, document: object, seeds: Sequence[bytes]) -> None:
    paths = _paths(document)
    if paths:
        container, key = random.choice(paths)
        del container[key]  # type: ignore[attr-defined] - a container by construction


def _rename(random: Random, document: object, seeds: Sequence[bytes]) -> None:
    """A key that belongs elsewhere, so that a branch of the parser meets another's content."""
    keyed = [(container, key) for container, key in _paths(document) if isinstance(container, dict)]
    if keyed:
        container, key = random.choice(keyed)
        _, other = random.choice(keyed)
        container[str(other)] = container.pop(key)


def _wrap(random: Random, document: object, seeds: Sequence[bytes]) -> None:
    paths = _paths(document)
    if paths:
        container, key = random.choice(paths)
        value = container[key]  # type: ignore[index] - as above
        container[key] = random.choice(([value], {"value": value}, [value, _copy(value)], str(value)))  # type: ignore[index] - as above


def _repeat(random: Random, document: object, seeds: Sequence[bytes]) -> None:
    """Lists with the same event twice, with hundreds, or in another order."""
    lists = [found for container, key in _paths(document) if isinstance(found := container[key], list)]  # type: ignore[index] - as above
    if lists:
        found = random.choice(lists)
        found.extend(_copy(item) for item in found[:5] * random.choice((1, 1, 2, 40)))
        random.shuffle(found)


_CHANGES: tuple[Callable[[Random, object, Sequence[bytes]], None], ...] = (
    *(_replace, _replace, _replace),
    *(_graft, _delete, _rename, _wrap, _repeat),
)


def _put(random: Random, document: object, value: object) -> None:
    paths = _paths(document)
    if paths:
        container, key = random.choice(paths)
        container[key] = _copy(value)  # type: ignore[index] - as above


def _paths(value: object) -> Paths:
    found: Paths = []
    waiting = [value]
    while waiting:
        container = waiting.pop()
        keys = (
            container if isinstance(container, dict) else range(len(container)) if isinstance(container, list) else ()
        )
        for key in keys:
            found.append((container, key))
            waiting.append(container[key])  # type: ignore[index] - as above
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
