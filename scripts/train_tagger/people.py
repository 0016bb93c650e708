"""Invented people in every case and manner: full, short, pet, initials, Tatar, foreign, transliterated."""
# ruff: noqa: PLR2004 - shares of draws and lengths of endings are read in place

from __future__ import annotations

import random
from dataclasses import dataclass, field

from pymorphy3 import MorphAnalyzer

from scripts.train_tagger import phrases as words
from scripts.train_tagger.lists import more_names, natasha_list

CASES = ("nomn", "gent", "datv", "accs", "ablt", "loct")
_VOWELS = "аеиоуыэюяәөүё"
_LATIN = {
    **dict(zip("абвгдезийклмнопрстуфхыэ", "abvgdeziyklmnoprstufhye", strict=True)),
    "ж": "zh",
    "ц": "ts",
    "ч": "ch",
    "ш": "sh",
    "щ": "sch",
    "ю": "yu",
    "я": "ya",
    "ь": "",
    "ъ": "",
    "ё": "e",
    "ә": "a",
    "ө": "o",
    "ү": "u",
    "җ": "j",
    "ң": "n",
    "һ": "h",
}
_SURNAME_ENDS = ("ов", "ев", "ин", "ова", "ева", "ина")
_ROOTS_A = words.section("roots_a")
_ROOTS_B = words.section("roots_b")
_FORMS = ("G", "GS", "SG", "GP", "SGP", "GPS", "S", "initials", "GI", "P", "GFT", "GFTS", "latin")
"""Given name, Surname, Patronymic, Initial, Father's name with a Tatar word for son or daughter."""
_SHARES = (42, 8, 6, 13, 8.5, 1.5, 11, 5, 1.5, 1, 0.5, 0.5, 1.5)
_PATRONYMIC_TATAR = ("кызы", "улы", "кызы", "улы", "оглы")
_ALSO_WORDS = words.section("also_words")
_NAME_MARKS = frozenset({"Name", "Surn", "Patr", "Geox", "Abbr", "Orgn"})
_NO_CASE = ("у", "ю", "и", "е", "э", "о", "ы")


@dataclass(slots=True)
class People:
    """Makes names; the same seed gives the same people.

    Attributes:
        rng: the only source of chance.
    """

    rng: random.Random
    _morph: MorphAnalyzer = field(default_factory=MorphAnalyzer)
    _firsts: list[tuple[str, bool]] = field(default_factory=list)
    _extra: list[str] = field(default_factory=list)
    _lasts: list[str] = field(default_factory=list)
    _cache: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for word in natasha_list("first"):
            tags = [parse.tag for parse in self._morph.parse(word) if "Name" in parse.tag and "nomn" in parse.tag]
            if tags:
                self._firsts.append((word, "femn" in tags[0]))
            elif len(word) > 3 and self.rng.random() < 0.35:
                self._firsts.append((word, word[-1] in "аяәьү"))
        self._extra = [word for word in more_names() if len(word) > 2]
        self._lasts = [word for word in natasha_list("last") if len(word) > 4 and not self._morph.word_is_known(word)]

    def inflect(self, word: str, case: str, *, kind: str = "Name", femn: bool = False) -> str:
        """A name in a case, as people write it; left as it is where it does not change."""
        if case == "nomn":
            return word
        key = (word, case, f"{kind}{femn}")
        if key not in self._cache:
            self._cache[key] = self._inflect(word, case, kind=kind, femn=femn)
        return self._cache[key]

    def inflect_job(self, word: str, case: str) -> str:
        """A word for somebody's work in a case."""
        form = self._morph.parse(word)[0].inflect({case, "sing"})
        return str(form.word) if form is not None else word

    def _inflect(self, word: str, case: str, *, kind: str, femn: bool) -> str:
        gender = "femn" if femn else "masc"
        if "-" in word:
            return "-".join(self._inflect(part, case, kind=kind, femn=femn) for part in word.split("-"))
        for parse in self._morph.parse(word):
            if kind in parse.tag and gender in parse.tag and "nomn" in parse.tag:
                form = parse.inflect({case, "sing"})
                if form is not None and form.word.replace("ё", "е") != word:
                    return str(form.word).replace("ё", "е")
        return _by_ending(word, case, femn=femn)

    def common_words(self, count: int) -> list[str]:
        """Words of the dictionary, in all their forms, that are nobody's name and no place."""
        known = {*natasha_list("first"), *more_names()}
        found: list[str] = []
        while len(found) < count:
            start = "".join(
                self.rng.choice("бвгдзклмнпрст") + self.rng.choice("аеиору") for _ in range(1)
            ) + self.rng.choice("бвгдклмнрстшч")
            forms = [
                parse.word
                for parse in self._morph.iter_known_word_parses(prefix=start)
                if 3 < len(parse.word) < 12
                and parse.tag.POS in {"NOUN", "ADJF", "VERB", "INFN", "ADVB"}
                and not _NAME_MARKS & parse.tag.grammemes
            ]
            nouns = [
                word
                for word in forms
                if word not in known
                and not any(_NAME_MARKS & other.tag.grammemes for other in self._morph.parse(word)[:3])
            ][:4000:7]
            found += self.rng.sample(nouns, min(len(nouns), 40))
        return found

    def first(self) -> tuple[str, bool]:
        """A given name and whether it is a woman's."""
        chance = self.rng.random()
        if chance < 0.07:
            word = self.rng.choice(_ALSO_WORDS)
            return word, word[-1] in "аяь"
        if chance < 0.5:
            return self.rng.choice(self._firsts)
        word = self.rng.choice(self._extra)
        return word, word[-1] in "аяәьү" or (word[-1] not in "бвгджзклмнпрстфхцчшщй" and self.rng.random() < 0.6)

    def surname(self, *, femn: bool) -> str:
        """A surname, from the list or put together; Russian and Tatar ones agree with the sex."""
        chance = self.rng.random()
        if chance < 0.72:
            word = self.rng.choice(self._lasts)
        elif chance < 0.92:
            word = (
                self.rng.choice(_ROOTS_A) + self.rng.choice(_ROOTS_B) + self.rng.choice(("ов", "ев", "ин", "ин", "ов"))
            )
        else:
            root = "".join(
                self.rng.choice("бвгдзклмнпрст") + self.rng.choice("аеиоу") for _ in range(self.rng.randint(1, 2))
            )
            word = (
                root
                + self.rng.choice("бвгдклмнрст")
                + self.rng.choice(
                    (
                        "енко",
                        "чук",
                        "швили",
                        "адзе",
                        "ян",
                        "идис",
                        "ский",
                        "юк",
                        "ых",
                        "овец",
                        "ман",
                        "берг",
                        "иани",
                        "ко",
                        "ец",
                        "ик",
                        "ак",
                        "аускас",
                        "сон",
                        "ин",
                        "ов",
                    )
                )
            )
        if femn and word.endswith(_SURNAME_ENDS[:3]):
            return word + "а"
        if femn and word.endswith(("ский", "цкий")):
            return word[:-2] + "ая"
        return word

    def patronymic(self, *, femn: bool) -> str:
        """A patronymic of a man's name, sometimes as it is said ("Сергевна")."""
        name = self.first()[0]
        while name[-1] in "аяеиоуыэюә-" and name not in {"никита", "илья"}:
            name = self.first()[0]
        stem, end = (name[:-1], "ев") if name.endswith(("й", "ь")) else (name, "ов")
        if name.endswith("й") and name[-2:-1] == "и" and self.rng.random() < 0.7:
            stem, end = name[:-2] + "ь", "ев"
        if name[-1] in "жшчщц":
            end = "ев"
        if self.rng.random() < 0.1:
            return stem + ("на" if femn else "ич") if end == "ов" else stem.rstrip("ь") + ("евна" if femn else "ич")
        return f"{stem}{end}{'на' if femn else 'ич'}"

    def person(self, case: str = "nomn") -> str:
        """One person's name in a case, with capitals."""
        rng = self.rng
        name, femn = self.first()
        form = rng.choices(_FORMS, _SHARES)[0]
        if form == "latin":
            return latin(" ".join(part.capitalize() for part in (name, self.surname(femn=femn))[: rng.randint(1, 2)]))
        if form == "initials":
            return self._with_initials(self._last(case, femn=femn))
        made = {
            "G": lambda: self.inflect(name, case, femn=femn),
            "S": lambda: self._last(case, femn=femn),
            "P": lambda: self.inflect(self.patronymic(femn=femn), case, kind="Patr", femn=femn),
            "I": lambda: rng.choice("абвгдзиклмнпрстфхш") + ".",
            "F": lambda: self.first()[0],
            "T": lambda: rng.choice(_PATRONYMIC_TATAR),
        }
        parts = [made[letter]() for letter in form]
        return " ".join(_capital(part) if part not in _PATRONYMIC_TATAR else part for part in parts)

    def _last(self, case: str, *, femn: bool) -> str:
        word = self.inflect(self.surname(femn=femn), case, kind="Surn", femn=femn)
        if self.rng.random() < 0.03:
            word += "-" + self.inflect(self.surname(femn=femn), case, kind="Surn", femn=femn)
        return word

    def _with_initials(self, last: str) -> str:
        rng = self.rng
        first, second = (rng.choice("абвгдезиклмнопрстуфхшэюя").upper() for _ in range(2))
        marks = rng.choice(("{0}.{1}.", "{0}. {1}.", "{0}.", "{0}. {1}", "{0} {1}", "{0}.{1}")).format(first, second)
        return f"{_capital(last)} {marks}" if rng.random() < 0.7 else f"{marks} {_capital(last)}"


def _capital(word: str) -> str:
    return "-".join(part.capitalize() for part in word.split("-"))


def _by_ending(word: str, case: str, *, femn: bool) -> str:  # noqa: PLR0911 - a table of endings in order
    """Cases of names that the dictionary does not know, by the ending alone."""
    at = CASES.index(case) - 1
    if word.endswith(("ова", "ева", "ина", "ына")) and femn:
        return word[:-1] + ("ой", "ой", "у", "ой", "ой")[at]
    if word.endswith("ая") and femn:
        return word[:-2] + ("ой", "ой", "ую", "ой", "ой")[at]
    if word.endswith(("ский", "цкий")):
        return word[:-2] + ("ого", "ому", "ого", "им", "ом")[at]
    if word.endswith(("ия", "ея")):
        return word[:-1] + ("и", "и", "ю", "ей", "и")[at]
    if word.endswith(("я", "ә")):
        return word[:-1] + ("и", "е", "ю", "ей", "е")[at]
    if word.endswith("а"):
        soft = word[-2:-1] in "гкхжшчщ"
        return word[:-1] + ("и" if soft else "ы", "е", "у", "ой", "е")[at]
    if word.endswith("ь"):
        return word[:-1] + (("и", "и", "ь", "ью", "и") if femn else ("я", "ю", "я", "ем", "е"))[at]
    if word.endswith("й"):
        return word[:-1] + ("я", "ю", "я", "ем", "е")[at]
    if word[-1] in _NO_CASE or femn or word.endswith(("ых", "их")):
        return word
    ablative = "ым" if word.endswith(("ов", "ев", "ин", "ын")) else "ом"
    return word + ("а", "у", "а", ablative, "е")[at]


def latin(name: str) -> str:
    """In Latin letters, as people type it."""
    out = []
    for letter in name:
        spelled = _LATIN.get(letter.lower(), letter)
        out.append(spelled.capitalize() if letter.isupper() else spelled)
    return "".join(out)


_TATAR_BACK = "әеиөүэ"


def tatar_case(name: str, case: str) -> str:
    """A name with a Tatar case ending: to, of, from, at, him, plural."""
    vowels = [letter for letter in name.lower() if letter in _VOWELS]
    soft = bool(vowels) and vowels[-1] in _TATAR_BACK
    voiceless = name[-1].lower() in "пфктсшщчцхһ"
    nasal = name[-1].lower() in "мнң"
    hard = {
        "to": "ка" if voiceless else "га",
        "of": "ның",
        "him": "ны",
        "from": "тан" if voiceless else "нан" if nasal else "дан",
        "at": "та" if voiceless else "да",
        "all": "нар" if nasal else "лар",
    }[case]
    return name + (hard.translate(str.maketrans("аы", "әе")) if soft else hard)
