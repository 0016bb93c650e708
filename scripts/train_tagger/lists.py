"""Writes the lists that the tagger ships: given names with pet forms, and hashes of surnames.

From the lists of natasha (MIT), read by path: its package is not imported.
"""

from __future__ import annotations

import lzma
from array import array
from importlib import metadata
from pathlib import Path
from zlib import crc32

DATA = Path(__file__).parents[2] / "src/leadgate/privacy/detect/tagger/data"
MORE_NAMES = Path(__file__).parent / "names.txt"
_NO_NAMES = frozenset(
    [
        "ин",
        "а",
        "я",
        "он",
        "мы",
        "вы",
        "ты",
        "ли",
        "да",
        "не",
        "ни",
        "но",
        "по",
        "за",
        "до",
        "из",
        "от",
        "ас",
        "им",
        "их",
        "то",
        "ау",
        "инн",
        "ип",
        "ой",
        "уф",
        "ам",
    ]
)
_SHORTEST = 2


def natasha_list(name: str) -> list[str]:
    """One of its lists of words: `first`, `maybe_first` or `last`, in lower case with е for ё."""
    package = metadata.distribution("natasha")
    path = next(file for file in package.files or () if str(file).endswith(f"dict/{name}.txt"))
    lines = Path(str(package.locate_file(path))).read_text(encoding="utf-8").splitlines()
    words = {line.split("#")[0].strip().lower().replace("ё", "е") for line in lines}
    return sorted(word for word in words if len(word) >= _SHORTEST)


def more_names() -> list[str]:
    """Names that the lists lack, written from general knowledge: Tatar, Central Asian, Caucasian, foreign, pet forms."""
    words = MORE_NAMES.read_text(encoding="utf-8").split()
    return sorted({word.lower().replace("ё", "е") for word in words if not word.startswith("#")})


def given_names() -> list[str]:
    """All given names."""
    return sorted({*natasha_list("first"), *natasha_list("maybe_first"), *more_names()} - _NO_NAMES)


def write_lists() -> None:
    """Write `names.xz` and `surnames.bin`; the same bytes each time."""
    (DATA / "names.xz").write_bytes(lzma.compress("\n".join(given_names()).encode(), preset=9))
    hashes = array("I", sorted({crc32(surname.encode()) for surname in natasha_list("last")}))
    (DATA / "surnames.bin").write_bytes(hashes.tobytes())
