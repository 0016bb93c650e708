"""Number plates of Russian cars, trailers, taxis and motorcycles, in Cyrillic or in the Latin letters that look alike."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence

from leadgate.privacy.detect.numerals import WORDS
from leadgate.privacy.detect.spans import Label, Span

_L = "[авекмнорстухabekmhopctyx]"
_REGION = r"(?:[127]?[0-9]{2}|2[0-9]{2})"
_GAP = r"[\s\-.|/]{0,3}"
_CAR = re.compile(
    rf"(?<![^\W_]){_L}{_GAP}(?![оoз]{{2}})[0-9оoз]{{3}}{_GAP}{_L}[ ]?{_L}(?:(?:{_GAP}|,\s){_REGION})"
    rf"(?=\s?rus|\s?рус|(?![^\W_]|[.:,/\-][0-9]))"
)
_WITHOUT_REGION = re.compile(rf"(?<![^\W_]){_L}{_GAP}[0-9]{{3}}{_GAP}{_L}{{2}}(?![^\W_])")
_OTHERS = re.compile(
    rf"(?<![^\W_])(?:{_L}{{2}}{_GAP}[0-9]{{3,4}}{_GAP}{_REGION}|[0-9]{{4}}{_GAP}{_L}{{2}}{_GAP}{_REGION})(?![^\W_]|[.:,/\-][0-9])"
)
_CUE = re.compile(
    r"(?<![^\W_])(?:машин\w*|авто(?:мобил\w*)?|гос[\s.\-]?(?:номер|знак)\w*|номер\w*|прицеп\w*|прицеб\w*|такси\w*|тачк\w*|мото\w*|байк\w*|скутер\w*|парков\w*|парк"
    r"|шлагбаум\w*|газел\w*|камаз\w*|пропуск\w*|заезж\w*|въезд\w*|ворот\w*|автобус\w*|маршрутк\w*|каршеринг\w*|тонировк\w*|бэх\w|тс"
    r"|лада|киа|kia|рено|renault|солярис|шкода|skoda|тойот\w|toyota|хенд[аэ]й|хундай|hyundai|лексус|бмв|bmw|ауди|audi|гранта|приор\w|веста|нив\w|ниссан|nissan|форд|опель|мерс\w*|чери|хавал|джили)(?![^\W_])"
)
_LETTER_NAME = "(?:[авекмнорстух]|вэ|ве|ка|эм|эн|эр|эс|тэ|те|ха|икс)"
_SPOKEN_DIGITS = rf"(?:[0-9]{{3}}|(?:(?>{WORDS})\s?){{2,4}})"
_SPOKEN_REGION = rf"(?:[0-9]{{2,3}}|(?:(?>{WORDS})\s?){{1,3}})"
_SPOKEN = re.compile(
    rf"(?<![^\W_]){_LETTER_NAME}\s{_SPOKEN_DIGITS}\s?{_LETTER_NAME}\s?{_LETTER_NAME}"
    rf"(?:\s(?:регион\s)?{_SPOKEN_REGION}(?<!\s))?(?![^\W_])"
)
_MEASURE = re.compile(
    r"[авкосу] ?[0-9]{3} ?(?:см|мм|км|кв|рт|сот)|(?:на|но|то|та|от|во|со|ко|он|ок) [0-9]"
    r"|[0-9]{4} (?:на|но|от|во|со|ко|см|мм|км|кв|ср)"
)
_CUE_DISTANCE = 80


def find_plates(text: str, lower: str) -> list[Span]:
    """Plates with their region in a text and its lower case; rarer forms, and a missing region, only near a word about cars."""
    spans = [
        Span(*found.span(), Label.PLATE, "plate.car") for found in _CAR.finditer(lower) if not _is_measure(text, found)
    ]
    cues = list(_CUE.finditer(lower))
    if cues:
        starts = [cue.start() for cue in cues]
        for pattern, rule in (
            (_OTHERS, "plate.other"),
            (_WITHOUT_REGION, "plate.without_region"),
            (_SPOKEN, "plate.spoken"),
        ):
            spans += [
                Span(*found.span(), Label.PLATE, rule, cue[0])
                for found in pattern.finditer(lower)
                if (cue := _nearest(cues, starts, found)) is not None and not _is_measure(text, found)
            ]
    return spans


def _nearest(cues: Sequence[re.Match[str]], starts: Sequence[int], found: re.Match[str]) -> re.Match[str] | None:
    after = bisect_left(starts, found.start())
    near = [cue for cue in cues[max(0, after - 1) : after + 1] if abs(cue.start() - found.start()) <= _CUE_DISTANCE]
    return near[0] if near else None


def _is_measure(text: str, found: re.Match[str]) -> bool:
    """`о 500 км 16 раз`: small words around a number, typed in small letters with spaces."""
    return text[found.start() : found.end()].islower() and " " in found[0] and _MEASURE.match(found[0]) is not None
