"""Generated messages with marks (`[PERSON|Алсу]`): people, addresses, health, and much that only looks like them."""
# ruff: noqa: PLR2004 - shares of draws and lengths of endings are read in place

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from scripts.train_tagger import phrases as words
from scripts.train_tagger.addresses import Addresses
from scripts.train_tagger.lists import DATA
from scripts.train_tagger.people import People, latin, tatar_case

_MONTHS = words.section("months")

_TATAR_STEMS = [
    stem
    for stem in (DATA / "tatar.txt").read_text(encoding="utf-8").split()
    if len(stem) > 2 and stem not in {"гүзәл", "нур", "алтын"}
]
_TATAR_ENDS = words.section("tatar_ends")


def _maybe_capital(text: str, rng: random.Random) -> str:
    return " ".join(word.capitalize() for word in text.split()) if rng.random() < 0.45 else text


@dataclass(slots=True)
class Writer:
    """Writes messages; the same seed writes the same ones."""

    rng: random.Random
    people: People
    _common: list[str] = field(default_factory=list)
    _addresses: Addresses = field(init=False)

    def __post_init__(self) -> None:
        self._addresses = Addresses(self.rng, self.people)
        self._common = self.people.common_words(4_000)

    def write(self) -> str:
        """One message with marks."""
        line = self._fill_any()
        if self.rng.random() < 0.22:
            line = self._fill(self._join(line))
        elif self.rng.random() < 0.12:
            people = words.PERSON_FRAMES
            kinds = [words.ADDRESS_FRAMES, words.HEALTH_FRAMES, people["nomn"], people["datv"], words.TATAR_FRAMES]
            line += self._pick((". ", ", ", "\n", "\n", " ")) + self._fill(self._pick(self.rng.choice(kinds)))
        if self.rng.random() < 0.08 and "|" not in line[-2:]:
            more = [self._pick(self._common) for _ in range(self.rng.randint(1, 3))]
            line += self._pick((" ", ", ", ". ")) + " ".join(more)
        return line

    def _fill_any(self) -> str:
        kinds = (
            (0.07, words.TATAR_FRAMES),
            (0.15, words.ADDRESS_FRAMES),
            (0.123, words.HEALTH_FRAMES),
            (0.017, words.TATAR_HEALTH),
            (0.18, words.NOT_PEOPLE),
            (0.05, words.SMALL_TALK),
            (0.02, words.TATAR_NEG),
            (0.03, words.HEALTH_NEG),
            (0.03, ["{small} {phone}"]),
        )
        if self.rng.random() < 0.33:
            return self._person_line()
        frames = self.rng.choices([frames for _, frames in kinds], [share for share, _ in kinds])[0]
        return self._fill(self._pick(frames))

    def _join(self, line: str) -> str:
        line = line.replace("{", "(").replace("}", ")")
        small = "{small}" if self.rng.random() < 0.6 else self._pick(words.NOT_PEOPLE)
        mark = self._pick((". ", ", ", "\n", " ", "! ", "; "))
        return f"{line}{mark}{small}" if self.rng.random() < 0.6 else f"{small}{mark}{line}"

    def _person_line(self) -> str:
        case = self.rng.choices(list(words.PERSON_FRAMES), (10, 3, 4, 3, 2, 0.6))[0]
        frame = self._pick(words.PERSON_FRAMES[case])
        return self._fill(frame, case=case)

    def _pick(self, options: list[str] | tuple[str, ...]) -> str:
        return self.rng.choice(options)

    def _fill(self, frame: str, case: str = "nomn") -> str:
        out, rest = "", frame
        while "{" in rest:
            before, _, rest = rest.partition("{")
            key, _, rest = rest.partition("}")
            out += before + self._value(key, case)
        return out + rest

    def _value(self, key: str, case: str) -> str:
        name, _, kind = key.partition(":")
        if name == "p":
            if kind in {"to", "of", "him", "from", "at", "all"}:
                return f"[PERSON|{tatar_case(self.people.first()[0].capitalize(), kind)}]"
            return f"[PERSON|{self.people.person(kind or case)}]"
        if name == "n" and kind:
            return self.people.inflect(self.people.first()[0], kind).capitalize()
        if name == "job":
            return self._job(kind or case)
        if name in {"kin", "staff"}:
            return self._pick((words.KIN if name == "kin" else words.STAFF)[kind or case])
        return self._makers()[name]()

    def _job(self, case: str) -> str:
        job = self._pick(words.JOBS).replace("ё", "е")
        return self.people.inflect_job(job, case)

    def _makers(self) -> dict[str, Callable[[], str]]:
        pick, number = self._pick, self.rng.randint
        return {
            "s": lambda: pick(words.SERVICES),
            "sa": lambda: pick(words.SERVICES_ACC),
            "t": lambda: pick(words.TIMES),
            "small": lambda: self._fill(pick(words.SMALL_TALK)),
            "ill": self._illness,
            "illg": lambda: pick(words.ILLNESSES["gent"]),
            "illa": lambda: pick(
                [
                    "температурой",
                    "ангиной",
                    "гриппом",
                    "ковидом",
                    "переломом ноги",
                    "аппендицитом",
                    "давлением",
                    "мигренью",
                    "пневмонией",
                    "инфарктом",
                    "воспалением лёгких",
                    "бронхитом",
                    "ветрянкой",
                ]
            ),
            "illd": lambda: pick(["варикозу", "диабету", "гипертонии", "аллергии", "астме", "псориазу"]),
            "al": lambda: pick(words.ALLERGENS),
            "alg": lambda: pick(words.ALLERGENS_GEN),
            "med": self._medicine,
            "medl": lambda: pick(
                [
                    "гормонах",
                    "антибиотиках",
                    "инсулине",
                    "варфарине",
                    "антидепрессантах",
                    "преднизолоне",
                    "роаккутане",
                    "метформине",
                    "сертралине",
                    "обезболивающих",
                    "таблетках от давления",
                ]
            ),
            "medg": lambda: pick(
                [
                    "антибиотиков",
                    "роаккутана",
                    "преднизолона",
                    "химиотерапии",
                    "гормонов",
                    "сумамеда",
                    "инъекций",
                    "лучевой терапии",
                    "изотретиноина",
                ]
            ),
            "state": lambda: pick(words.STATES),
            "op": lambda: pick(words.OPERATIONS),
            "has": lambda: pick(words.HAS),
            "opl": lambda: pick(
                [
                    "сердце",
                    "колене",
                    "глазах",
                    "спине",
                    "позвоночнике",
                    "щитовидке",
                    "желудке",
                    "носу",
                    "груди",
                    "ноге",
                    "матке",
                    "почке",
                ]
            ),
            "bone": lambda: pick(
                [
                    "руки",
                    "ноги",
                    "ключицы",
                    "рёбер",
                    "лодыжки",
                    "запястья",
                    "шейки бедра",
                    "позвоночника",
                    "пальца",
                    "носа",
                ]
            ),
            "bonm": lambda: pick(["палец", "нос", "копчик", "зуб", "мизинец"]),
            "body": lambda: pick(
                ["горло", "зуб", "спина", "голова", "живот", "сердце", "поясница", "колено", "ухо", "шея"]
            ),
            "cause": lambda: pick(words.PLURAL_DATIVE_ILL),
            "ti": lambda: pick(words.TATAR_ILL),
            "brand": lambda: pick(words.BRAND_KINDS),
            "n": self.people.first()[0].capitalize,
            "N": lambda: latin(self.people.first()[0]).upper(),
            "st": self._street_name,
            "sg": lambda: self.people.inflect(self.people.surname(femn=False), "gent", kind="Surn").capitalize(),
            "place": lambda: pick(words.PLACES),
            "flower": lambda: pick(words.FLOWERS),
            "c": lambda: pick(words.CITIES),
            "v": lambda: pick(words.VILLAGES),
            "w": lambda: pick(self._common),
            "W": lambda: pick(self._common).capitalize(),
            "car": lambda: _maybe_capital(pick(words.CARS), self.rng),
            "fest": lambda: pick(
                [
                    "Сабантуй",
                    "Ураза-байрам",
                    "Курбан-байрам",
                    "Новый год",
                    "Пасху",
                    "8 марта",
                    "9 мая",
                    "Рождество",
                    "Масленицу",
                    "Навруз",
                ]
            ),
            "temp": lambda: f"{number(37, 40)},{number(1, 9)}",
            "lat": lambda: pick(words.LATIN_WORDS),
            "head": lambda: pick(words.HEADS),
            "ptt": self._tatar_full,
            "col": lambda: pick(words.COLOURS),
            "co": lambda: _maybe_capital(pick(words.COMPANIES), self.rng),
            "iss": lambda: pick(words.ISSUERS),
            "dist": lambda: pick(words.DISTRICTS)[:-2] + "ого",
            "nick": lambda: pick(words.PET_WORDS),
            "english": lambda: pick(words.ENGLISH),
            "S": lambda: pick(words.SERVICES).capitalize(),
            "SA": lambda: pick(words.SERVICES_ACC).capitalize(),
            "tsalad": self._tatar_salad,
            "brandtt": lambda: pick(
                [
                    "кафесы",
                    "кибете",
                    "салоны",
                    "шампуне",
                    "мәктәбе",
                    "мәчете",
                    "базары",
                    "урамы",
                    "күпере",
                    "китабы",
                    "спектакле",
                    "җыры",
                    "чәе",
                ]
            ),
            "addr": self._addresses.written,
            "short": self._addresses.short,
            "tataddr": self._addresses.tatar,
            "price": lambda: str(number(3, 90) * 100),
            "num": lambda: str(number(10, 99999)),
            "hh": lambda: f"{number(8, 21)}:{pick(['00', '30', '15'])}",
            "d": lambda: f"{number(1, 28):02}.{number(1, 12):02}",
            "phone": lambda: f"[PHONE|8 9{number(10, 99)} {number(100, 999)}-{number(10, 99)}-{number(10, 99)}]",
            "bd": lambda: (
                f"[BIRTHDATE|{number(1, 28):02}.{number(1, 12):02}.{number(1945, 2020)}]"
                if number(0, 1)
                else f"[BIRTHDATE|{number(1, 28)} {pick(_MONTHS)}]"
            ),
            "inn": lambda: f"[INN|16{number(10**9, 10**10 - 1)}]",
            "oms": lambda: f"[OMS|16{number(10**13, 10**14 - 1)}]",
            "card": lambda: f"[CARD|2202 {number(1000, 9999)} {number(1000, 9999)} {number(1000, 9999)}]",
            "passport": lambda: f"[PASSPORT|92 {number(10, 24)} {number(100000, 999999)}]",
            "plate": lambda: f"[PLATE|А{number(100, 999)}ВС116]",
            "user": lambda: f"[USERNAME|@user_{number(10, 999)}]",
        }

    def _illness(self) -> str:
        if self.rng.random() < 0.12:
            return self._pick(words.ILL_STARTS) + self._pick(words.ILL_ENDS)
        return self._pick(words.ILLNESSES["nomn"])

    def _medicine(self) -> str:
        if self.rng.random() < 0.15:
            return _maybe_capital(self._pick(words.DRUG_STARTS) + self._pick(words.DRUG_ENDS), self.rng)
        drug = self._pick(words.MEDICINES)
        return _maybe_capital(words.MEDICINES_ACC.get(drug, drug), self.rng)

    def _tatar_full(self) -> str:
        name, father = self.people.first()[0], self.people.first()[0]
        parts = [name, father]
        if self.rng.random() < 0.4:
            parts = (
                [self.people.surname(femn=False), *parts]
                if self.rng.random() < 0.5
                else [*parts, self.people.surname(femn=False)]
            )
        line = " ".join(part.capitalize() for part in parts[: parts.index(father) + 1])
        line += f" {self._pick(['кызы', 'улы', 'кызы', 'улы', 'ҡыҙы', 'углы'])}"
        return "[PERSON|" + " ".join([line, *(part.capitalize() for part in parts[parts.index(father) + 1 :])]) + "]"

    def _street_name(self) -> str:
        if self.rng.random() < 0.65:
            return self._pick(words.STREETS)
        surname = self.people.inflect(self.people.surname(femn=False), "gent", kind="Surn").capitalize()
        if self.rng.random() < 0.4:
            return f"{self.people.inflect(self.people.first()[0], 'gent').capitalize()} {surname}"
        return surname

    def _tatar_salad(self) -> str:
        """Common Tatar words with endings in any order: they are no names, whatever they look like."""
        rng = self.rng
        line = " ".join(
            rng.choice(_TATAR_STEMS) + (rng.choice(_TATAR_ENDS) if rng.random() < 0.7 else "")
            for _ in range(rng.randint(1, 8))
        )
        line = line.replace(" ", ", ", 1) if rng.random() < 0.3 else line
        return (line.capitalize() if rng.random() < 0.7 else line) + rng.choice(("", "", "?", ".", "!"))
