"""Invented addresses in every manner: in full, short, spoken, villages, flats, Tatar."""

# ruff: noqa: PLR2004 - shares of draws are read in place

from __future__ import annotations

import random
from dataclasses import dataclass

from scripts.train_tagger import phrases as words
from scripts.train_tagger.people import People

_TENS = words.section("tens")
_ONES = words.section("ones")
_VILLAGE_KINDS = words.section("village_kinds")
_HOUSE_LETTERS = (
    "",
    "",
    "",
    "",
    "",
    "а",
    "б",
    "А",
    "в",
    "Г",
    "к1",
    "к2",
    " к 3",
    "/2",
    "/15",
    " корп. 2",
    " корпус 1",
    " стр. 3",
    " к.2",
    "/1а",
    " А",
)


@dataclass(slots=True)
class Addresses:
    """Makes addresses; the same seed gives the same ones."""

    rng: random.Random
    people: People

    def _number(self) -> str:
        rng = self.rng
        size = rng.choice((9, 40, 150))
        return str(rng.randint(1, size))

    def _spoken(self) -> str:
        rng = self.rng
        tens = rng.choice(["", *_TENS, "сто"])
        return f"{tens} {rng.choice(_ONES[:9])}".strip()

    def written(self) -> str:
        """An address in Russian, as people write it; sometimes in words."""
        rng = self.rng
        if rng.random() < 0.09:
            return self._spoken_whole()
        is_village = rng.random() < 0.22
        parts = [*self._region(), *self._settlement(is_village=is_village), self._street()]
        parts.append(
            f"{rng.choice(('уч.', 'участок', 'уч'))} {self._number()}"
            if is_village and rng.random() < 0.06
            else self._house()
        )
        if rng.random() < 0.6:
            parts += self._flat()
        line = rng.choice((", ", ", ", " ", " ", "\n", ", ")).join(parts)
        return line.replace(", ", ",", 1) if rng.random() < 0.1 else line

    def short(self) -> str:
        """A street without its kind, a house, perhaps a flat: what neighbours write."""
        rng = self.rng
        line = f"{rng.choice(words.STREETS)} {self._number()}{rng.choice(_HOUSE_LETTERS)}"
        return (
            f"{line}{rng.choice((' кв ', '-', ' - ', ', ', ' кв.', ' квартира ', ' комната '))}{self._number()}"
            if rng.random() < 0.5
            else line
        )

    def _region(self) -> list[str]:
        rng, parts = self.rng, []
        if rng.random() < 0.06:
            parts.append(str(rng.randint(100000, 699999)))
        if rng.random() < 0.06:
            parts.append(rng.choice(words.REGIONS))
        if rng.random() < 0.09:
            parts.append(f"{rng.choice(words.DISTRICTS)} {rng.choice(('район', 'р-н', 'р-он', 'район'))}")
        return parts

    def _settlement(self, *, is_village: bool) -> list[str]:
        rng, parts = self.rng, []
        if is_village:
            parts.append(f"{rng.choice(_VILLAGE_KINDS)} {rng.choice(words.VILLAGES)}".strip())
        elif rng.random() < 0.3:
            parts.append(f"{rng.choice(('г.', 'город', 'г', '', '', ''))} {rng.choice(words.CITIES)}".strip())
        if rng.random() < 0.03:
            quarter = rng.choice(words.VILLAGES + words.STREETS[:40])
            parts.append(f"{rng.choice(('мкр.', 'микрорайон', 'ЖК', 'жк', 'м-н'))} {quarter}")
        return parts

    def _street(self) -> str:
        rng = self.rng
        street = rng.choice(words.STREETS)
        if rng.random() < 0.12:
            street = self.people.inflect(self.people.surname(femn=False), "gent", kind="Surn").capitalize()
        elif rng.random() < 0.06:
            street = f"{self.people.first()[0].capitalize()} {self.people.surname(femn=False).capitalize()}а"
        chance = rng.random()
        if chance < 0.42:
            return f"{rng.choice(words.STREET_KINDS['f'][:5])} {street}"
        if chance < 0.55:
            return f"{rng.choice(words.STREET_KINDS['m'])} {street}"
        if chance < 0.6:
            return f"{street} {rng.choice(('улица', 'ул.', 'проспект', 'ул', 'пер.', 'тракт'))}"
        if street.endswith("ая") and rng.random() < 0.4:
            return street[:-2] + rng.choice(("ой", "ую"))
        return street

    def _house(self) -> str:
        rng = self.rng
        kind = rng.choice(("д.", "дом", "д", "", "", "", "", "д.", "дом", ""))
        line = f"{kind} {self._number()}{rng.choice(_HOUSE_LETTERS)}".strip()
        return line.replace("д. ", rng.choice(("д. ", "д.")))

    def _flat(self) -> list[str]:
        rng = self.rng
        flat = self._number()
        if rng.random() < 0.17:
            return [f"{rng.choice(('- ', '-', '— ', 'кв'))}{flat}"]
        parts = [
            f"{rng.choice(('кв.', 'кв', 'квартира', 'кв.', 'оф.', 'офис', 'ком.'))} {flat}".replace(
                ". ", rng.choice((". ", "."))
            )
        ]
        if rng.random() < 0.3:
            parts.append(
                rng.choice(
                    (
                        f"подъезд {rng.randint(1, 9)}",
                        f"{rng.randint(1, 9)} подъезд",
                        f"под. {rng.randint(1, 9)}",
                        f"п. {rng.randint(1, 9)}",
                        "третий подъезд",
                        "вход со двора",
                    )
                )
            )
        if rng.random() < 0.25:
            parts.append(
                rng.choice(
                    (
                        f"этаж {rng.randint(1, 19)}",
                        f"{rng.randint(1, 19)} этаж",
                        f"эт. {rng.randint(1, 16)}",
                        f"{rng.randint(1, 16)} эт",
                        "первый этаж",
                        "второй этаж",
                    )
                )
            )
        if rng.random() < 0.2:
            parts.append(
                rng.choice(
                    (
                        f"домофон {flat}",
                        f"код {rng.randint(10, 9999)}",
                        f"домофон {flat}В",
                        f"код {flat}к{rng.randint(100, 9999)}",
                        f"домофон {flat}#",
                    )
                )
            )
        if rng.random() < 0.25:
            rng.shuffle(parts)
        return parts

    def _spoken_whole(self) -> str:
        rng = self.rng
        street = rng.choice(words.STREETS).lower()
        line = (
            f"{rng.choice(('улица', 'ул', '', 'проспект'))} {street} {rng.choice(('дом', '', 'дом'))} {self._spoken()}"
        )
        if rng.random() < 0.2:
            line += f" {rng.choice(('дробь', 'корпус'))} {self._spoken()}"
        if rng.random() < 0.2:
            line = f"город {rng.choice(words.CITIES).lower()} {line}"
        if rng.random() < 0.6:
            line += f" квартира {self._spoken()}"
        if rng.random() < 0.2:
            line += rng.choice((" второй подъезд", " подъезд три", " этаж пять", " пятый этаж"))
        return " ".join(line.split())

    def tatar(self) -> str:
        """An address in Tatar."""
        rng = self.rng
        kind = rng.choice(("урамы", "урамы", "ур.", "проспекты"))
        street = f"{rng.choice(words.STREETS)} {kind} {rng.choice(('', '', 'йорт '))}{self._number()}"
        if rng.random() < 0.5:
            street = f"{rng.choice(words.VILLAGES)} {rng.choice(('авылы', 'авылы', 'бистәсе'))}{rng.choice((', ', ' '))}{street}"
        if rng.random() < 0.25:
            street = f"{rng.choice(words.DISTRICTS).removesuffix('ский')} районы{rng.choice((', ', ' '))}{street}"
        if rng.random() < 0.3:
            street += f", {self._number()} {rng.choice(('фатир', 'квартира', 'кв', 'нче фатир'))}"
        return street
