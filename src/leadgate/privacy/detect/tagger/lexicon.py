"""The lists and the dictionary behind the features of a word: names, surnames, cue words, morphology. No weights here."""

from __future__ import annotations

import lzma
import re
from array import array
from bisect import bisect_left
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from pymorphy3.analyzer import MorphAnalyzer

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

DATA: Traversable = resources.files("leadgate.privacy.detect.tagger") / "data"

_ENDINGS: dict[str, tuple[str, ...]] = {
    "а": ("", "о"),
    "я": ("й", "ь"),
    "у": ("", "а", "о"),
    "ю": ("й", "ь", "я"),
    "е": ("", "а", "я", "й", "о"),
    "и": ("а", "я", "ь", "й"),
    "ы": ("", "а"),
    "ой": ("а", ""),
    "ою": ("а",),
    "ей": ("а", "я", "ь"),
    "ею": ("я",),
    "ом": ("", "о"),
    "ем": ("", "й", "ь"),
    "ым": ("", "ый"),
    "им": ("ий",),
    "ии": ("ия", "ий"),
    "ого": ("ой", "ый", "ий"),
    "его": ("ий",),
    "ому": ("ой", "ый", "ий"),
    "ему": ("ий",),
    "ая": ("ый", "ий", "ой"),
    "ую": ("ый", "ий", "ой"),
    "ых": ("", "ый", "ой"),
    "их": ("ий",),
    "ами": ("", "а"),
    "ыми": ("", "ый"),
    "ам": ("", "а"),
    "ью": ("ь",),
    "еву": ("ев",),
    # Tatar and Bashkir case endings.
    **dict.fromkeys(
        (
            *("га", "гә", "ка", "кә", "гэ", "кэ", "на", "нә"),
            *("ны", "не", "ның", "нең", "нын", "нен"),
            *("да", "дә", "дан", "дән", "та", "тә", "тан", "тән", "нан", "нән", "дэ", "дэн"),
            *("лар", "ләр", "нар", "нәр", "ларга", "ләргә", "лардан", "ларны", "ләрне", "га"),
            *("ым", "ем", "кай", "кәй"),
        ),
        ("",),
    ),
}
_ENDING_MAX = 5
_SHORT_STEM, _SHORT_WORD = 2, 4
"""Letters: stems so short begin too many words."""
_TATAR_ENDINGS = re.compile(
    "(?:лар|ләр|нар|нәр|лы|ле|лык|лек|лыг|лег|сыз|сез|чы|че|рак|рәк|ыбыз|ебез|быз|без|ыгыз|егез|гыз|гез|ым|ем|м|ың|ең|ң|сы|се|ы|е|н"
    "|га|гә|ка|кә|на|нә|ны|не|ын|ен|ның|нең|да|дә|та|тә|дан|дән|тан|тән|нан|нән|дагы|дәге|тагы|тәге|кы|ке|ча|чә"
    "|а|ә|ый|и|й|ды|де|ты|те|дык|дек|ган|гән|кан|кән|ыр|ер|ар|әр|р|сын|сен|рга|ргә|мы|ме|ма|мә|ми|мый|п|гач|гәч|кач|кәч|у|ү|учы|үче"
    "|ыйм|им|ам|әм|асыз|әсез|исез|ыйсыз|ибез|ыйбыз|абыз|әбез|к|т|ыл|ел|ын|ен|ыш|еш|дыр|дер|тыр|тер|сана|сәнә|са|сә|ыйсы|исе|к[аә]ч|дер|дыр){0,5}"
)
_TATAR = str.maketrans(
    {"ә": "а", "ө": "о", "ү": "у", "җ": "ж", "ң": "н", "һ": "х", "ҙ": "з", "ҫ": "с", "ғ": "г", "ҡ": "к", "э": "е"}
)
_SMALL_ENDINGS = (
    *(
        "очка",
        "ечка",
        "енька",
        "онька",
        "ушка",
        "юшка",
        "ишка",
        "унька",
        "уська",
        "улька",
        "чик",
        "ик",
        "ок",
        "ек",
        "юша",
        "уша",
    ),
    *(
        "уля",
        "юля",
        "уся",
        "юся",
        "уня",
        "юня",
        "аша",
        "яша",
        "уха",
        "юха",
        "ан",
        "ян",
        "он",
        "ос",
        "ка",
        "ша",
        "ся",
        "ня",
        "ха",
        "ыч",
    ),
    *("кай", "кәй", "уш", "юш", "чак", "ичка", "ёк", "ая", "ок", "яй", "юк", "як", "ец", "ич"),
)


class Word(NamedTuple):
    """What lists and dictionary know of one word.

    Attributes:
        flags: everything that is so; the features are made of them.
        main: the one class that its neighbours see.
    """

    flags: tuple[str, ...]
    main: str


class Lexicon:
    """All lists, loaded once; takes about 40 MB of memory, most of it the dictionary."""

    def __init__(self) -> None:
        analyzer = MorphAnalyzer()
        self._dictionary = analyzer.dictionary
        self._same_letters = analyzer.char_substitutes
        self._exact: dict[str, tuple[str, ...]] = {}
        self._stems: dict[str, tuple[str, ...]] = {}
        self._read_cues()
        packed = lzma.decompress((DATA / "names.xz").read_bytes())
        self.names = frozenset(packed.decode().split("\n"))
        self._name_starts = frozenset(name[:size] for name in self.names for size in range(3, len(name)))
        self._surnames = array("I")
        self._surnames.frombytes((DATA / "surnames.bin").read_bytes())
        self._tatar = frozenset((DATA / "tatar.txt").read_text(encoding="utf-8").split())
        self._tags_of = lru_cache(maxsize=8192)(self._find_tags)

    def _read_cues(self) -> None:
        for line in (DATA / "cues.txt").read_text(encoding="utf-8").splitlines():
            if not line or line.startswith("#"):
                continue
            cue, *words = line.split()
            for word in words:
                known, key = (self._stems, word[:-1]) if word.endswith("*") else (self._exact, word)
                if cue not in known.get(key, ()):
                    known[key] = (*known.get(key, ()), cue)

    def cues(self, word: str) -> tuple[str, ...]:
        """Classes of a cue word, the main one first."""
        exact = self._exact.get(word)
        if exact is not None:
            return exact
        for size in range(min(len(word), 14), 1, -1):
            stem = self._stems.get(word[:size])
            if stem is not None:
                return stem
        return ()

    def is_surname(self, word: str) -> bool:
        """Whether the list of surnames has it, in the form of the list."""
        key = crc32(word.encode())
        place = bisect_left(self._surnames, key)
        return place < len(self._surnames) and self._surnames[place] == key

    def tags(self, word: str) -> tuple[frozenset[str], ...]:
        """Grammar of a word that the dictionary has; empty for others: nothing is guessed."""
        return self._tags_of(word)

    def _find_tags(self, word: str) -> tuple[frozenset[str], ...]:
        found = []
        for _, forms in self._dictionary.words.similar_items(word, self._same_letters):
            found += [self._dictionary.build_tag_info(paradigm, place).grammemes for paradigm, place in forms]
        return tuple(found)

    def is_tatar(self, word: str) -> bool:
        """Whether it is a common Tatar word with endings."""
        for size in range(min(len(word), 12), 1, -1):
            if (
                word[:size] in self._tatar
                and (size > _SHORT_STEM or len(word) <= _SHORT_WORD)
                and _TATAR_ENDINGS.fullmatch(word, size)
            ):
                return True
        return False

    def is_small_name(self, word: str) -> bool:
        """Whether it looks like a pet form of a given name that the list has."""
        for ending in _SMALL_ENDINGS:
            if word.endswith(ending):
                stem = word[: -len(ending)]
                if len(stem) > _SHORT_STEM and stem in self._name_starts:
                    return True
        return False


def bases(word: str) -> list[str]:
    """Forms that the word may be a case of, itself first; Tatar letters as Russian lists write them come last."""
    found = [word]
    for size in range(1, min(_ENDING_MAX, len(word) - 2) + 1):
        found += [word[:-size] + ending for ending in _ENDINGS.get(word[-size:], ())]
    plain = word.translate(_TATAR)
    if plain != word:
        found += [plain]
        for size in range(1, min(_ENDING_MAX, len(plain) - 2) + 1):
            found += [plain[:-size] + ending for ending in _ENDINGS.get(plain[-size:], ())]
    return found
