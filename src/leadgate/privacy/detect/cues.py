"""Words that say what a number beside them is: `полис`, `тел.`, and those that say that it is nobody's, `заказ №`."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import cached_property

OTHER = "OTHER"
"""Orders, receipts, articles, prices: no personal data."""

_WORDS = {
    OTHER: (
        r"сч[её]т[\s\-]?фактур\w*|заказ(?!чи)\w*|(?:бонус|скидоч|дисконт|клубн|подароч|накопит|амбулатор|медицинск|мед)\w*\.?\s?карт\w*"
        r"|карт\w{1,2}\s(?:лояльн|пациент|клиент)\w*|чек(?:а|е|у|ом|и|ов)?|квитанц\w*|артикул\w*|арт|накладн\w*|тр[еэ]к\w*|track\w*|order"
        r"|отправлени\w*|посылк\w*|брон[ьиею]\w*|booking|заявк\w*|талон\w*|код(?:а|у|ом|ы)?|пин\w*|договор\w*|лицензи\w*|сертификат\w*"
        r"|серт|абонемент\w*|абик|абон|кпп|бик|огрн(?:ип)?|окпо|октмо|оквэд|кбк|уин|уид|imei|vin|вин|серийн\w*|корр?\.?[\s\-]?сч[её]т\w*"
        r"|к/с|корсч[её]т\w*|верси\w*|операц\w*|транзакц\w*|плат[её]ж\w*|акт|приказ\w*|обращени\w*|тикет\w*|инвойс\w*|invoice|штрих\w*"
        r"|barcode|ean|промо\w*|модел[ьи]\w*|партия|партии|лот|протокол\w*|направлени\w*|анализ\w*|водительск\w*|удостоверени\w*"
        r"|свидетельств\w*|кадастр\w*|пробирк\w*"
    ),
    "PASSPORT": r"паспорт\w*|загран\w*|серия|серии|серией|сериясе|пасп|пасс?порт\w*|passport|pasport",
    "SNILS": r"снилс\w*|с[\s.]н[\s.]и[\s.]л[\s.]с|snils|страхов(?:ое|ого|ым)(?:\s(?:свидетельств|номер)\w*)?"
    r"|пенсионн(?:ое|ого)\sсвидетельств\w*",
    "INN": r"и[\s.]?н[\s.]?н(?:ым\w{0,4}|ның|нын)?|inn",
    "OMS": r"полис\w*|о[\s.]?м[\s.]?с\w{0,3}|енп|oms|медполис\w*|медстрах\w*",
    "CARD": r"карт(?!ин|он|оч?ф|ридж)\w*|visa|виза|мир|mastercard|мастеркард\w*"
    r"|maestro|card|сбер\w*|тинь\w*|тинек\w*|тинёк\w*|пластик\w*",
    "ACCOUNT": r"[рл]/сч?[её]?т?|рсч[её]т\w*|р\.\s?с\.?|сч[её]т\w*|расч[её]тн\w*|реквизит\w*|лицев\w*|account|хисап\w*|iban",
    "PHONE": (
        r"тел(?:еф\w*|ф)?|tel\w*|phone|моб(?:ил\w*)?|сотов\w*|сот|(?:по|пере|до|про|со)?зв[оа]н\w*|(?:на|за)бер\w*|наб[еи]р\w*"
        r"|в[ао]т?[сц]ап\w*|wh?ats\w*|вайбер\w*|viber|смс\w*|sms|связ[ьи]\w*|контакт\w*|домашн\w*|городск\w*|рабоч(?:ий|его)|трубк\w*"
        r"|шалтыра\w*|номерым\w*|номеры\w*|номерок\w*"
        r"|симк\w*|сбп|межгород|т(?=[.:]\s?[0-9+(])|ном(?=\.)"
    ),
}
_CUE = re.compile(
    r"(?<![^\W_])(?:"
    + "|".join(f"(?P<{kind}>{words})" for kind, words in _WORDS.items())
    + r")(?![^\W\d_])|(?P<PHONE_>[📱📞☎📲])"
)
_FILLER = re.compile(
    r"(?:[\s:;№#.\"«»(=_*>\-]++|(?<![^\W_])(?:n|no|номер\w*|num|заказа|брони|вот|это|такой|мой|моего|моя|у меня|ваш\w*"
    r"|под|за|с|он|она|рф|и|серия|рәкәм\w*|новый|новая)(?![^\W_])){0,8}"
)
_A_FIRM = re.compile(
    r"(?<![^\W_])(?:ооо|оао|зао|пао|ао|ип|кфх|юрлиц\w*|организаци\w|компани\w|фирм\w|реквизит\w*|кпп|огрн|контрагент\w?)(?![^\W_])"
)
_MONEY = re.compile("перев|перечисл|отправ|кин[ьуе]|скин|возвр|верн|оплат|деньг|банк|кайтар|күчер")
_PREPOSITION = re.compile(r"(?<![^\W_])(?:в|во|из|для|по|на|без)\s\Z")
_ONTO = re.compile(r"\s(?:на|по)(?=\s)")
_NEAR = 60
_ADJACENT = 40


@dataclass(frozen=True, slots=True)
class Cue:
    """A word that announces; places are those of the text."""

    start: int
    end: int
    kind: str
    word: str


class Cues:
    """The cues of one text, by place."""

    def __init__(self, lower: str) -> None:
        self._lower = lower
        self._cues = [Cue(*found.span(), str(found.lastgroup).rstrip("_"), found[0]) for found in _CUE.finditer(lower)]
        self._starts = [cue.start for cue in self._cues]
        self._first = {cue.kind: cue for cue in reversed(self._cues)}
        self.kinds = frozenset(self._first)

    @cached_property
    def has_firm(self) -> bool:
        """Whether a firm or a sole trader is spoken of anywhere."""
        return _A_FIRM.search(self._lower) is not None

    @cached_property
    def has_money(self) -> bool:
        """Whether money is to be sent anywhere."""
        return _MONEY.search(self._lower) is not None

    @cached_property
    def has_number_word(self) -> bool:
        """Whether the word `номер` stands anywhere."""
        return "номер" in self._lower

    def before(self, place: int, *, since: int = 0) -> list[Cue]:
        """At most three, the nearest first, none further than sixty characters and none before `since`."""
        last = bisect_left(self._starts, place)
        earliest = max(since, place - _NEAR)
        return [
            cue for cue in reversed(self._cues[max(0, last - 3) : last]) if cue.start >= earliest and cue.end <= place
        ]

    def after(self, place: int, *, until: int) -> Cue | None:
        """The next one that begins before `until`."""
        first = bisect_left(self._starts, place)
        return self._cues[first] if first < len(self._cues) and self._starts[first] < until else None

    def find(self, kind: str) -> Cue | None:
        """The first of a kind anywhere."""
        return self._first.get(kind)

    def is_in_phrase(self, cue: Cue) -> bool:
        """Whether the word only says where something stands, `в чеке`, `для договора`."""
        return _PREPOSITION.search(self._lower, max(0, cue.start - 5), cue.start) is not None

    def is_in_sentence(self, cue: Cue, place: int) -> bool:
        """Whether no sentence ends between the cue and the place."""
        return not any(letter in ".!?\n" for letter in self._lower[cue.end + 1 : place])

    def touches(self, cue: Cue, place: int) -> bool:
        """Whether nothing but fillers (`№`, `номер`, `вот`) stands between the cue and the place."""
        onto = _ONTO.match(self._lower, cue.end) if cue.kind == "PHONE" else None
        start = cue.end if onto is None else onto.end()
        return place - start <= _ADJACENT and _FILLER.fullmatch(self._lower, start, place) is not None
