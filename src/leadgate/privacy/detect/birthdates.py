"""Which dates are birth dates: words beside them, or a full date of the past behind a full name. Visits and offers are not."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from leadgate.privacy.detect.dates import Date, find_dates
from leadgate.privacy.detect.spans import Label, Span

_CUE = re.compile(
    r"(?<![^\W\d_])(?:(?P<before>рожд\.|дата\sрожд\w*|день\sрожд\w*|дн[яюе]м?\sрожд\w*|год\sрожд\w*|рожд(?:ения|ение|ением|ении|енья)?|днюх\w|днюшк\w|именин\w{1,4}|туган\sкөн\w*|туган\sкон\w*|туган\sкен\w*"
    r"|туган\sел\w*|д\.\s?р\.?|д/р|г/р|(?<!\sи\s)др|дата\sр|д[её]н[ья]\sвар[еэ]нь\w|birthday|birth|dob|стукн\w{1,3})"
    r"|(?P<both>роди(?:л\w{0,4}|вш\w{1,4})|рожд[её]н\w{0,2}|г\.?\s?р\.?|года?\.?\sрожд\w*|г\.\s?рожд\w*|туган\w{0,3}|туды|туды\w|исполн(?:ится|яется|илось|ялось|илс\w)|born|елгы))(?![^\W\d_])"
)
_FOUNDED = re.compile(
    r"\s{1,2}(?:(?:ваш|наш|у|вашего|нашего|любимого)\w*\s){0,2}(?:салон|клиник|компани|магазин|студи|центр|фирм|кафе|бренд|сет[ьи])"
)
_VISIT_BEFORE = re.compile(
    r"(?<![^\W_])(?:на|до|с|со|по|к|от|после|запи\w{2,8}|выдан\w{0,2}|при[её]м\w{0,2}|чек\w?|договор\w?|визит\w?|перенес\w{1,4}|приду|заеду|срок|действ\w{2,8})\s{1,2}(?:(?:мне|нас|меня|моя|числа|пожалуйста)\s)?\Z"
)
_COORDINATE = re.compile(
    r"[\s,;()\-]{0,3}(?:(?:а|и|ә|һәм|у|мой|моя|его|её|ее|брат\w?|сестр\w|муж\w?|сын\w?|доч\w{1,3}|[^\W\d_]{3,14})[\s,()\-]{1,3}){0,4}\Z"
)
_UNLIKELY = re.compile(
    r"(?<![^\W_])(?:запис\w*|запиш\w*|хо[тч]\w{1,4}|приход\w*|прид\w*|прие\w*|перенес\w*|подар\w*|сертиф\w*|скидк\w*|мож\w*|на|до|к|с|в|отмен\w*|праздн\w*|отме[тч]\w*|\w{2,12}(?:ли|лась|лись|лся|ть|ите|ют))(?![^\W_])"
)
_NAME_BEFORE = re.compile(
    r"(?:[^\W\d_]{3,20}\s[а-яёәөүҗңһ]\.\s?[а-яёәөүҗңһ]\.?|[^\W\d_]*(?:вич\w{0,2}|вн[аыеу]|вной|чна|чны|чне|ична|ов|ова|ев|ева|ёв|ёва|ин|ина|ына|ский|ская|ову|ова|овой|еву|евой|ину|иной|кызы|ҡыҙы|кизи|улы|оглы|угли|улла|дин)"
    r"|[^\W\d_]{3,20}(?:ов|ев|ёв|ин|ын|ова|ева|ёва|ина|ына|ский|ская|ову|овой|еву|евой|ину|иной|ых|их|ко|ян|швили|дзе)\s[^\W\d_]{2,14})[\s,:;(\-–]{1,4}(?:[0-9][).]\s)?\Z"
)
_TWO_CAPITALS = re.compile(
    r"[А-ЯЁӘӨҮҖҢҺA-Z][\w\-]{1,20}\s[А-ЯЁӘӨҮҖҢҺA-Z][\w\-]{1,20}[\s,:;(\-–]{1,4}(?:[0-9][).]\s)?\Z"
)
_PATRONYMIC_BEFORE = re.compile(
    r"[^\W\d_]{2,15}(?:вич\w{0,2}|вн[аыеу]|чн[аыеу]|\sкызы|\sулы|\sҡыҙы)(?![^\W_])[^0-9.!?]{1,50}(?<=[,\n;(])\s?\Z"
)
_NOT_A_NAME = re.compile(
    r"(?<![^\W_])(?:был[аио]?|открыл\w*|основ\w*|выдан\w*|при[её]м\w*|запис\w*|договор\w*|чек\w*|действ\w*|визит\w*|акт\w*|визов\w*|лицензи\w*|приказ\w*|улица|ул)(?![^\W_])"
)
_VISIT_AFTER = re.compile(
    r"[\s,]{1,3}(?:(?:был|приход|при[её]м|запис|делал|ставил|лечил)|(?:в|на)\s[0-9]|[0-9]{1,2}:[0-9]{2}|ко?\s)"
)
_KIN_BEFORE = re.compile(
    r"(?<![^\W_])(?:сын|доч|муж|жен|мам|пап|реб[её]н|внук|внуч|брат|сест[ре]|пациент|клиент|кыз|малай|улым|оныг|бала|әни|әти|әби|бабай|малыш)\w{0,7}"
    r"(?:\s[^\W\d_]{2,15}){0,3}[\s,:(\-–]{1,4}\Z"
)
_HAS_FULL = re.compile(r"(?:19|20)[0-9]{2}")
_REACH_BEFORE, _REACH_AFTER = 55, 34
_SENTENCE_END = re.compile(r"[!?\n]|\.(?=\s)")
_MOST_DATES = 300
"""More than any message of a person has; behind them every date is masked."""
_EARLIEST, _LATEST = 1910, 2023
"""A full date beside a name is a birth date when its year lies between; later ones are visits unless a word says otherwise."""
_A_YEAR_BEFORE = re.compile(
    r"(?:роди\w{2,5}|рожд[её]н\w?|г\.?\s?р\.?|год\w?\sрожд\w*(?:\s[^\W\d_]{2,12}){0,2}|год\w?\s\w{2,9}|рожд\w{0,5}|туган\sел\w*|др|д\.р\.?)(?:\s(?:она|он|я|в|во|был\w?|ещё|еще|мама|у)){0,3}[\s:\-–]{1,3}\Z"
)
_A_YEAR_AFTER = re.compile(
    r"\s?(?:-?го\s|-?нч[еы]\s)?(?:г\.?\s?р(?![^\W_])|г(?:ода?|\.)?\s?рожд|ел(?:гы|да|ның|нын|лы)?(?![^\W_])(?:\s(?:туган|туды)|[^\d]{0,3})|(?:в\s)?году?\s(?:рожд|роди)|-?м?\s(?:году?\s)?роди)"
)


def find_birthdates(text: str, lower: str, taken: Sequence[Span] = ()) -> list[Span]:
    """Birth dates outside of what is `taken`; `lower` is the text in lower case, letter by letter."""
    cues = list(_CUE.finditer(lower))
    if not cues and _HAS_FULL.search(lower) is None:
        return []
    dates = _free(find_dates(lower, has_cue=bool(cues)), taken)
    near = _Cues(lower, cues)
    spans: list[Span] = []
    for place, date in enumerate(dates[:_MOST_DATES]):
        earlier = dates[place - 1] if place else None
        later = dates[place + 1].start if place + 1 < len(dates) else len(lower)
        word = near.said(date, since=earlier.end if earlier else 0, until=later) if cues else None
        is_listed = bool(spans) and earlier is not None and spans[-1].start == earlier.start
        if word is None and is_listed and earlier is not None and _is_coordinate(lower, earlier, date):
            word = spans[-1].cue
        if word is not None:
            if earlier is not None and not is_listed and _is_listed_before(lower, earlier, date):
                spans.append(Span(earlier.start, earlier.end, Label.BIRTHDATE, "birthdate.listed", word))
            spans.append(Span(date.start, date.end, Label.BIRTHDATE, "birthdate.said", word))
        elif date.kind == "full" and _is_behind_name(text, lower, date):
            spans.append(Span(date.start, date.end, Label.BIRTHDATE, "birthdate.name"))
    return spans + [Span(date.start, date.end, Label.BIRTHDATE, "birthdate.flood") for date in dates[_MOST_DATES:]]


def _free(dates: Sequence[Date], taken: Sequence[Span]) -> list[Date]:
    """The dates outside of what is taken."""
    places = sorted([(span.start, span.end) for span in taken])
    free = []
    for date in dates:
        before = bisect_left(places, (date.end, 0))
        if not before or places[before - 1][1] <= date.start:
            free.append(date)
    return free


class _Cues:
    """The words of one text that speak of births, by place."""

    def __init__(self, lower: str, cues: Sequence[re.Match[str]]) -> None:
        self._lower = lower
        self._cues = cues
        self._starts = [cue.start() for cue in cues]

    def said(self, date: Date, *, since: int, until: int) -> str | None:
        """The word that says that somebody was born then; dates before `since` and from `until` on have words of their own."""
        if date.kind == "year":
            return _said_of_year(self._lower, date)
        next_cue = bisect_left(self._starts, date.end)
        if next_cue < len(self._cues) and self._starts[next_cue] < min(until, date.end + _REACH_AFTER):
            after = self._cues[next_cue]
            if date.kind != "loose" and _reaches_back(self._lower, after, date):
                return after[0]
        if next_cue == 0:
            return None
        before = self._cues[next_cue - 1]
        is_near = max(since, date.start - _REACH_BEFORE) <= before.start() and before.end() <= date.start
        return before[0] if is_near and _reaches(self._lower, before, date) else None


def _reaches(lower: str, cue: re.Match[str], date: Date) -> bool:
    between = lower[cue.end() : date.start].removeprefix(".")
    if (
        _FOUNDED.match(lower, cue.end()) is not None
        or _VISIT_BEFORE.search(lower, max(0, date.start - 30), date.start) is not None
    ):
        return False
    if cue[0].startswith("г") and cue["both"] is not None and between.strip(" :"):
        return False
    is_form = not between.strip(" :.-–\n")
    return is_form or (date.kind != "loose" and _SENTENCE_END.search(between) is None)


def _reaches_back(lower: str, cue: re.Match[str], date: Date) -> bool:
    between = lower[date.end : cue.start()]
    if _FOUNDED.match(lower, cue.end()) is not None or "," in between.strip(" ,"):
        return False
    if _VISIT_BEFORE.search(lower, max(0, date.start - 30), date.start) is not None:
        return False
    is_one_sentence = _SENTENCE_END.search(between.removeprefix(" г.").removeprefix(".")) is None
    return is_one_sentence or (cue["both"] is None and "это" in between)


def _said_of_year(lower: str, date: Date) -> str | None:
    after = _A_YEAR_AFTER.match(lower, date.end)
    if after is not None:
        return after[0].strip()
    before = _A_YEAR_BEFORE.search(lower, max(0, date.start - 40), date.start)
    return None if before is None else before[0].strip(" :-–")


def _is_coordinate(lower: str, earlier: Date, date: Date) -> bool:
    between = lower[earlier.end : date.start]
    return date.kind == earlier.kind and _COORDINATE.match(between) is not None and _UNLIKELY.search(between) is None


def _is_listed_before(lower: str, earlier: Date, date: Date) -> bool:
    """`Салих 8 сентября, Айдар 15 декабря, дни рождения`: the date before in the same list."""
    is_visit = _VISIT_BEFORE.search(lower, max(0, earlier.start - 30), earlier.start) is not None
    return not is_visit and _is_coordinate(lower, earlier, date)


def _is_behind_name(text: str, lower: str, date: Date) -> bool:
    if date.year is None or not _EARLIEST <= date.year <= _LATEST:
        return False
    since = max(0, date.start - 60, lower.rfind("\n", 0, date.start - 3))
    if _VISIT_AFTER.match(lower, date.end) is not None or _VISIT_BEFORE.search(lower, since, date.start) is not None:
        return False
    if _NOT_A_NAME.search(lower, max(since, date.start - 45), date.start) is not None:
        return False
    return _is_named(lower, since, date) or _TWO_CAPITALS.search(text, since, date.start) is not None


def _is_named(lower: str, since: int, date: Date) -> bool:
    return any(
        pattern.search(lower, since, date.start) is not None
        for pattern in (_NAME_BEFORE, _PATRONYMIC_BEFORE, _KIN_BEFORE)
    )
