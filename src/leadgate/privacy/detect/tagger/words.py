"""What is known of one word, and the features made of it; the word's neighbours are in `surroundings`."""

from __future__ import annotations

import re
from collections.abc import Callable

from leadgate.privacy.detect.tagger.lexicon import Lexicon, Word, bases

_PATRONYMIC = re.compile(
    r".{2,}(?:[ое]вич|[ое]вна|ична|[ое]вич[ауеи]|[ое]вичем|[ое]вн[ыеуо]й?|ичн[ыеуо]й?|[аеио]вн[аыеуо]й?|[аи]ныч[ауе]?м?"
    r"|[ое]ви[чщ]|(?<![аеио])(?:[ыи]ч|[ыи]ч[ауе]|[ыи]чем)|с[ае]н+[аыуе]|с[ае]н+ой|углы|кызы|улы)",
)
_SURNAME = re.compile(
    r".{2,}(?:[ое]в(?:[ауеы]|ой|ым|ых|ым[и])?|[еиы]н(?:[ауеы]|ой|ым|ых)?|ск(?:ий|ого|ому|им|ая|ой|ую|их)|цк(?:ий|ого|ому|им|ая|ой|ую|их)"
    r"|[еу]нк[оау]|чук[аиуе]?|ч[еу]к|як|юк|[ыи]х|ян[ауе]?|янц|дзе|швили|иани?|[ау]л?иа|[ие]в|ли|лы|ко|[йи]ец|ич|ис|ус|ман|берг|штейн|сон|ер)",
)
_MEDICINE = re.compile(
    r".{3,}(?:[аио]л|[иео]н|прил|сартан|статин|мицин|циллин|[аои]зол|идин|вир|паза?м|кс|ум|ид|амин|мабу?|флокс\w{2,4})[аоуе]?м?"
)
_DISEASE = re.compile(
    r".{3,}(?:ит|оз|ома|еми[яиюе]|ури[яиюе]|пати[яиюе]|алги[яиюе]|филия|плегия|фобия|склероз|трофия|ита|оза|омы|итом|озом|ому|изм|изма|аз)"
)
_VOWELS = frozenset("аеёиоуыэюяәөүaeiouy")
_KINDS_OF_NAME = {"Name": "nm", "Surn": "sn", "Patr": "pt", "Geox": "geo", "Orgn": "org", "Trad": "org", "Abbr": "abbr"}
_OTHER_NAMES = frozenset({"Init"})
_CASES = ("nomn", "gent", "datv", "accs", "ablt", "loct")
_PARTS = {
    "NOUN": "NOUN",
    "ADJF": "ADJ",
    "ADJS": "ADJ",
    "COMP": "ADV",
    "ADVB": "ADV",
    "PRED": "ADV",
    "VERB": "VERB",
    "INFN": "VERB",
    "PRTF": "ADJ",
    "PRTS": "ADJ",
    "GRND": "VERB",
    "NPRO": "PRO",
    "NUMR": "NUMW",
}
_LATIN_PAIRS = (
    *(
        ("shch", "щ"),
        ("sch", "щ"),
        ("kh", "х"),
        ("zh", "ж"),
        ("ch", "ч"),
        ("sh", "ш"),
        ("ts", "ц"),
        ("yu", "ю"),
        ("ya", "я"),
    ),
    *(
        ("iu", "ю"),
        ("ia", "ия"),
        ("yo", "е"),
        ("ye", "е"),
        ("ck", "к"),
        ("ph", "ф"),
        ("th", "т"),
        ("ö", "о"),
        ("ü", "у"),
        ("ş", "ш"),
    ),
)
_LATIN = str.maketrans("abcdefghijklmnopqrstuvwxyzäıçğ", "абкдефгхийклмнопкрстуввкйзеычг")
_KEYS = str.maketrans("qwertyuiopasdfghjklzxcvbnm", "йцукенгшщзфывапролдячсмить")
_IS_LATIN = re.compile("[a-zäöüşçğı]")
_IS_TATAR = re.compile("[әөүҗңһҙҫғҡ]")
_DOUBLED = re.compile(r"(.)\1+")
_LETTERS_OF_A_LAYOUT_SLIP = 4
_YEAR_DIGITS = 4
_FIRST_ARROW = 0x2190
"""Signs from here on are pictures."""
_PARTICLE, _LONG = 2, 4
"""Letters: no longer than a particle; long enough for endings of four."""
_SIGNS = frozenset(".,;:!?()-/\\«»\"'¶+@№#>*&")


class Words:
    """Features by word, in lower case with е for ё.

    Attributes:
        is_hidden: while learning, words that lists and dictionary shall not know, so that form and company are learned too.
        ready: what was found of frequent words before, so that they need no search in the dictionary.
    """

    def __init__(self, lexicon: Lexicon, is_hidden: Callable[[str], bool] | None = None) -> None:
        self.lexicon = lexicon
        self.is_hidden = is_hidden
        self.ready: dict[str, Word] = {}

    def look_up(self, word: str, kind: str) -> Word:
        """What is known of the word; not kept."""
        if kind == "w":
            return self.ready.get(word) or self._of_letters(word)
        if kind == "n":
            name = f"N{min(len(word), 7)}"
            is_year = len(word) == _YEAR_DIGITS and word[:2] in {"19", "20"}
            return Word(
                (name, "year") if is_year else (name, "0" if word[0] == "0" else "1"), "NY" if is_year else name
            )
        if kind == "t":
            return Word((word, "#"), word)
        sign = word if word in _SIGNS else ("P" if ord(word) < _FIRST_ARROW else "E")
        return Word((sign,), sign)

    def _of_letters(self, word: str) -> Word:
        if _IS_LATIN.search(word) is not None:
            return self._of_latin(word)
        if len(word) == 1:
            cues = self.lexicon.cues(word)
            return Word((*cues, "L1"), cues[0] if cues else "L1")
        return self._of_cyrillic(word)

    def _of_latin(self, word: str) -> Word:
        cues = self.lexicon.cues(word)
        if len(word) == 1:
            return Word((*cues, "LAT1"), "LAT1")
        if cues:
            return Word((*cues, "LAT"), cues[0])
        spelled = word
        for latin, cyrillic in _LATIN_PAIRS:
            spelled = spelled.replace(latin, cyrillic)
        spelled = spelled.translate(_LATIN)
        flags = self._name_flags(spelled, ())
        if not self.is_concealed(word) and flags:
            return Word(
                ("LAT", *(f"lat:{flag}" for flag in flags)), "LATN" if {"n1", "pt1", "nm"} & set(flags) else "LATS"
            )
        if word.isascii() and len(word) >= _LETTERS_OF_A_LAYOUT_SLIP:
            turned = self._of_cyrillic(word.translate(_KEYS))
            if turned.main not in {"U", "US", "UT"} and "ukn" not in turned.flags:
                return Word((*turned.flags, "keys"), turned.main)
        vowels = sum(letter in _VOWELS for letter in word)
        return Word(("LAT", "lat:consonants" if vowels == 0 else "lat:word"), "LAT")

    def is_concealed(self, word: str) -> bool:
        """Whether the lists shall not know the word."""
        return self.is_hidden is not None and self.is_hidden(word)

    def _of_cyrillic(self, word: str) -> Word:
        lexicon = self.lexicon
        hidden = self.is_concealed(word)
        cues = () if hidden else lexicon.cues(word)
        tags = () if hidden else lexicon.tags(word)
        if not tags and not cues and not hidden and lexicon.is_tatar(word):
            cues = ("TAT",)
        names = () if hidden else self._name_flags(word, tags)
        flags = [f"={cue}" for cue in cues]
        flags += names
        part, is_common = self._grammar(tags, flags)
        if is_common:
            flags.append("common")
        if not tags:
            flags.append("ukn")
        self._shape_flags(word, tags, flags)
        return Word(tuple(flags), self._main(cues, set(flags), part))

    @staticmethod
    def _grammar(tags: tuple[frozenset[str], ...], flags: list[str]) -> tuple[str, bool]:
        part, is_common = "", False
        seen = set(flags)
        for tag in tags:
            kinds = [name for mark, name in _KINDS_OF_NAME.items() if mark in tag]
            for mark, name in _PARTS.items():
                if mark in tag:
                    if not kinds and "Init" not in tag:
                        part = part or name
                        seen.add(f"p:{name}")
                    break
            else:
                part = part or "SMALL"
                seen.add("p:SMALL")
            if not kinds and "Init" not in tag:
                is_common = True
            else:
                seen.update(f"m:{kind}" for kind in kinds)
                seen.update(f"c:{case}" for case in _CASES if case in tag)
        flags += sorted(seen - set(flags))
        return part, is_common

    def _name_flags(self, word: str, tags: tuple[frozenset[str], ...]) -> list[str]:
        lexicon, flags = self.lexicon, []
        for form in (word, _DOUBLED.sub(r"\1", word)):
            for place, base in enumerate(bases(form)):
                if base in lexicon.names:
                    flags.append("n1" if place == 0 else "n2")
                    break
            for place, base in enumerate(bases(form)):
                if lexicon.is_surname(base):
                    flags.append("s1" if place == 0 else "s2")
                    break
            if flags or tags or form == _DOUBLED.sub(r"\1", form) == word:
                break
        if not tags and lexicon.is_small_name(word):
            flags.append("dim")
        if "-" in word:
            flags += sorted(
                {
                    f"-{flag}"
                    for part in word.split("-")
                    if len(part) > _PARTICLE
                    for flag in self._name_flags(part, (frozenset(),))
                }
            )
        return flags

    @staticmethod
    def _shape_flags(word: str, tags: tuple[frozenset[str], ...], flags: list[str]) -> None:
        if _PATRONYMIC.fullmatch(word):
            flags.append("z:patr")
        if not tags:
            if _SURNAME.fullmatch(word):
                flags.append("z:surn")
            if _MEDICINE.fullmatch(word):
                flags.append("z:med")
            if _DISEASE.fullmatch(word):
                flags.append("z:ill")
        if _IS_TATAR.search(word) is not None:
            flags.append("z:tat")
        flags.append(f"len{min(len(word), 12)}")

    @staticmethod
    def _main(cues: tuple[str, ...], flags: set[str], part: str) -> str:
        is_common = "common" in flags
        name = _name_class(flags, is_common=is_common)
        if cues:
            return f"{cues[0]}+N" if name in {"NM", "PT", "SN"} else cues[0]
        if name and is_common:
            return f"{name}c:{part}"
        if name:
            return f"{name}u" if "ukn" in flags and name in {"N2", "SL"} else name
        if "m:geo" in flags:
            return "GEOc" if is_common else "GEO"
        return part or _class_of_form(flags)


def _name_class(flags: set[str], *, is_common: bool) -> str:
    """The kind of name that lists or dictionary see in it, the surest first; empty for no name."""
    if "m:pt" in flags or ("z:patr" in flags and not is_common):
        return "PT"
    kinds = (("NM", {"m:nm", "n1"}), ("N2", {"n2", "-n1", "-n2"}), ("SN", {"m:sn"}), ("SL", {"s1", "s2", "-s1"}))
    return next((kind for kind, marks in kinds if marks & flags), "")


def _class_of_form(flags: set[str]) -> str:
    """Of a word that nothing is known of."""
    if "z:surn" in flags:
        return "UST" if "z:tat" in flags else "US"
    if "dim" in flags:
        return "UD"
    return "UT" if "z:tat" in flags else "U"


def own_features(word: str, known: Word) -> list[str]:
    """Features of a token, said of itself."""
    features = ["b", f"w={word}", f"m={known.main}"]
    features += known.flags
    if len(word) > _PARTICLE and word[0].isalpha():
        features += [f"e1={word[-1]}", f"e2={word[-2:]}", f"e3={word[-3:]}", f"a3={word[:3]}"]
        if len(word) > _LONG:
            features += [f"e4={word[-4:]}", f"a4={word[:4]}", f"m|e2={known.main}|{word[-2:]}"]
    return features


def near_features(word: str, known: Word) -> list[str]:
    """Features of a token, said of its neighbours."""
    features = [f"w={word}", *known.flags]
    if len(word) > _PARTICLE and word[0].isalpha():
        features += [f"e2={word[-2:]}", f"e3={word[-3:]}"]
    return features


def far_features(word: str, known: Word) -> list[str]:
    """Features of a token, said of those two places away."""
    return [f"w={word}", f"m={known.main}"]
