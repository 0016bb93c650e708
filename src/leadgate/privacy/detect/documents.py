"""Papers, cards and accounts among rows of digits: which length, form and check digit each has, announced or not."""

from __future__ import annotations

import re

from leadgate.privacy.detect.check_digits import passes_inn, passes_luhn, passes_snils
from leadgate.privacy.detect.phones import looks_mobile
from leadgate.privacy.detect.runs import Run
from leadgate.privacy.detect.spans import Label, Span

ANNOUNCED_LENGTHS = {
    Label.PASSPORT: (10, 9),
    Label.SNILS: (11,),
    Label.INN: (12, 10),
    Label.OMS: (16,),
    Label.CARD: (16, 18, 19, 15, 17, 14, 13),
    Label.ACCOUNT: (20,),
}
MISTYPED_LENGTHS = {
    Label.PASSPORT: (8, 11, 7),
    Label.SNILS: (10, 12, 9),
    Label.INN: (11, 13, 9),
    Label.OMS: (15, 17, 9),
    Label.CARD: (12, 20),
    Label.ACCOUNT: (19, 21, 22, 18),
}
"""A digit dropped or doubled: masked when the word stands right before and the number has this length altogether."""

_CHECKS = {Label.SNILS: passes_snils, Label.INN: passes_inn, Label.OMS: passes_luhn, Label.CARD: passes_luhn}
_ACCOUNT_PREFIX = re.compile(r"40[5-8]|42[0-6]|40903|45[0-8]")
_CARD_PREFIXES = {13: "4", 14: "3", 15: "3", 16: "23456", 17: "56", 18: "56", 19: "2456"}
_MOST_CARD_GROUPS, _MOST_ACCOUNT_GROUPS = 6, 8
_SNILS_SHAPES = {(3, 3, 3, 2), (11,), (9, 2), (3, 3, 5)}
_PASSPORT_SHAPES = {(2, 2, 6), (4, 6), (2, 2, 3, 3), (4, 3, 3)}
_LATEST_BLANK, _EARLIEST_BLANK = 40, 95
"""Year of the blank: the second pair of digits of the series."""

_SPLIT = re.compile(
    r"(?<![^\W_])(?:сери\w{1,4}|(?:загран)?паспорт\w{0,3}|пасп)[\s:.№]{0,4}(?:рф\s{1,2}|паспорт\w{1,3}\s{1,2}|сери\w{1,4}[\s:]{1,3}|-\s){0,3}"
    r"(?P<series>[0-9]{2}(?:\s?[0-9]{2})?)(?![0-9])"
    r"[\s,;.:а-яёәөүҗңһ]{0,20}?(?:номер\w{0,4}|№|n|рәкәм\w{0,3})(?:\sпаспорт\w{0,3})?[\s:№]{0,4}(?P<number>[0-9]{3}\s?[0-9]{3,4})(?![0-9])"
)
_ISSUED = re.compile(
    r"(?<![0-9])(?P<series>[0-9]{2}\s?[0-9]{2})[\s,;:№.]{1,4}(?:номер\s{0,2})?(?P<number>[0-9]{6})(?=[\s,;.]{1,3}(?:выд|от\s[0-9]))"
)
"""`92 09, 417730, выдан`: who issues tells that it is a passport, though no word before it does."""
_SHORT_SPLIT = re.compile(
    r"(?<![^\W_])с(?:ер)?\.?\s?(?P<series>[0-9]{2}\s?[0-9]{2})[\s,;]{1,3}н(?:ом)?\.?\s?(?P<number>[0-9]{6})(?![0-9])"
)
_NUMBER_ALONE = re.compile(
    r"(?<![^\W_])номер\w{0,2}\sпаспорт\w{0,3}[\s:№\-]{1,4}(?P<number>[0-9]{3}\s?[0-9]{3})(?![0-9])"
)
_SERIES_ALONE = re.compile(
    r"(?<![^\W_])сери\w{1,3}[^0-9.!?\n]{1,30}(?P<series>[0-9]{2}\s?[0-9]{2})(?![0-9]|[.,:/\-]?[0-9])"
)
_PLAIN_GAP = re.compile(r"[\s№\-]*")
_LETTERED = re.compile(r"(?<![^\W_])(?:[A-ZА-Я]{1,2}|[a-z]{1,2})[\s№\-]{0,2}[0-9]{6,9}(?![0-9])")
_PASSPORT_BEFORE = re.compile(
    r"(?<![^\W_])(?:загран)?(?:паспорт|пасс?порт|passport)\w{0,10}[^0-9]{0,40}\Z|(?<![^\W_])загран\w{0,8}[^0-9]{0,40}\Z"
)


def is_check_right(label: Label, digits: str) -> bool | None:
    """None for a label without a check digit."""
    check = _CHECKS.get(label)
    return None if check is None else check(digits)


def stop_announced(run: Run, first: int, label: Label, *, is_beside: bool, is_close: bool) -> int | None:
    """The group after the last of a number that a word before it announces; None when no length fits.

    A number that looks like a call must stand right beside the word; a mistyped one in the same sentence, `is_close`.
    """
    stops = [stop for length in ANNOUNCED_LENGTHS[label] if (stop := run.stop(first, length)) is not None]
    stops = [stop for stop in stops if is_beside or not _is_doubtful(run, first, stop, label)]
    right = next((stop for stop in stops if is_check_right(label, run.digits(first, stop))), None)
    if right is not None or not stops:
        return right if right is not None else _stop_mistyped(run, first, label, is_close=is_close)
    whole = len(run.groups)
    return whole if whole in stops and run.weak[whole - 1] == run.weak[first] else stops[0]


def _is_doubtful(run: Run, first: int, stop: int, label: Label) -> bool:
    digits = run.digits(first, stop)
    if label not in {Label.PASSPORT, Label.SNILS, Label.INN} or not looks_mobile(digits):
        return False
    return not is_check_right(label, digits) and run.shape(first, stop) not in _PASSPORT_SHAPES


def _stop_mistyped(run: Run, first: int, label: Label, *, is_close: bool) -> int | None:
    total = run.totals[-1] - run.totals[first]
    fits = is_close and total in MISTYPED_LENGTHS[label] and run.weak[-1] == run.weak[first]
    return len(run.groups) if fits and not looks_mobile(run.digits(first, len(run.groups))) else None


def stop_account(run: Run, first: int) -> int | None:
    """Twenty digits that begin as accounts of people and firms do."""
    if _ACCOUNT_PREFIX.match(run.rows, run.totals[first]) is None:
        return None
    stop = run.stop(first, 20)
    return (
        stop if stop is not None and (stop - first <= _MOST_ACCOUNT_GROUPS or _is_compact(run, first, stop)) else None
    )


def stop_card(run: Run, first: int) -> int | None:
    """A card by its check digit and the first digits of its length."""
    for length, prefixes in _CARD_PREFIXES.items():
        if run.groups[first][0] not in prefixes:
            continue
        stop = run.stop(first, length)
        if stop is not None and _is_compact(run, first, stop) and passes_luhn(run.digits(first, stop)):
            return stop
    return None


def stop_policy(run: Run, first: int) -> int | None:
    """Sixteen digits whose last is right."""
    stop = run.stop(first, 16)
    return stop if stop is not None and _is_compact(run, first, stop) and passes_luhn(run.digits(first, stop)) else None


def stop_snils(run: Run, first: int) -> int | None:
    """Eleven digits in a usual shape whose check digits are right."""
    stop = run.stop(first, 11)
    if stop is None or run.shape(first, stop) not in _SNILS_SHAPES:
        return None
    return stop if passes_snils(run.digits(first, stop)) else None


def stop_inn(run: Run, first: int, *, length: int) -> int | None:
    """Twelve or ten digits written as one or in threes, check digits right."""
    stop = run.stop(first, length)
    if stop is None or stop - first not in {1, 4}:
        return None
    return stop if passes_inn(run.digits(first, stop)) else None


def stop_passport(run: Run, first: int, lower: str) -> int | None:
    """Series and number in their own shape, `92 14 805316`, with spaces or № between."""
    stop = run.stop(first, 10)
    if stop is None or run.shape(first, stop) not in _PASSPORT_SHAPES:
        return None
    digits = run.digits(first, stop)
    gaps = "".join([lower[run.ends[place] : run.starts[place + 1]] for place in range(first, stop - 1)])
    is_dated = int(digits[2:4]) <= _LATEST_BLANK or int(digits[2:4]) >= _EARLIEST_BLANK
    return stop if is_dated and not gaps.strip(" №n\n") else None


def find_split_passports(lower: str) -> list[Span]:
    """`серия 9206, номер 114938`: two finds, since more than spaces and № stands between; or one part alone, announced."""
    has_word = "сери" in lower or "пас" in lower
    if not has_word and "выд" not in lower:
        return []
    spans: list[Span] = []
    for pattern in (_SPLIT, _ISSUED, _SHORT_SPLIT) if has_word else (_ISSUED, _SHORT_SPLIT):
        for found in pattern.finditer(lower):
            if _PLAIN_GAP.fullmatch(lower, found.end("series"), found.start("number")) is None:
                spans += [_part(found, part) for part in ("series", "number")]
    if "паспорт" in lower:
        numbers = [_part(found, "number") for found in _NUMBER_ALONE.finditer(lower)]
        spans += numbers
        spans += [_part(found, "series") for found in _SERIES_ALONE.finditer(lower)] if numbers else []
    return _without_repeats(spans)


def _part(found: re.Match[str], part: str) -> Span:
    return Span(*found.span(part), Label.PASSPORT, f"passport.{part}", "серия")


def _without_repeats(spans: list[Span]) -> list[Span]:
    kept: dict[tuple[int, int], Span] = {}
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if all(span.start >= end for _, end in kept):
            kept[span.start, span.end] = span
    return list(kept.values())


def find_lettered_passports(text: str, lower: str) -> list[Span]:
    """Passports of other countries, `N 11482063`, after the word itself."""
    if not any(stem in lower for stem in ("паспорт", "паспор", "загран", "passport")):
        return []
    return [
        Span(*found.span(), Label.PASSPORT, "passport.lettered", "паспорт")
        for found in _LETTERED.finditer(text)
        if _PASSPORT_BEFORE.search(lower, max(0, found.start() - 60), found.start()) is not None
    ]


def _is_compact(run: Run, first: int, stop: int) -> bool:
    """Not a part of a long list of small numbers; digit by digit it may be written too, but then nothing else stands with it."""
    return stop - first <= _MOST_CARD_GROUPS or (
        first == 0 and stop == len(run.groups) and max(run.shape(first, stop)) == min(run.shape(first, stop))
    )
