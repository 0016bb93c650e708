"""Telephone numbers among rows of digits: Russian mobile and city numbers, local ones, foreign ones, extensions."""

from __future__ import annotations

import re

import phonenumbers

from leadgate.privacy.detect.runs import Run

_FULL, _WITHOUT_LEAD, _LOCAL, _SHORT_LOCAL, _VILLAGE = 11, 10, 7, 6, 5
_WITHOUT_LEAD_SHAPES = {(10,), (3, 3, 2, 2), (3, 3, 4), (3, 7), (3, 4, 3), (3, 2, 2, 3), (6, 4)}
_CITY_SHAPES = {(3, 3, 2, 2), (4, 2, 2, 2), (4, 3, 3), (5, 1, 2, 2), (3, 7), (3, 3, 4), (3, 2, 2, 3)}
_CITY_SHAPES_ALONE = {(3, 3, 2, 2), (4, 2, 2, 2), (5, 1, 2, 2)}
_LOCAL_SHAPES = {(3, 2, 2), (3, 4), (2, 2, 3), (7,), (3, 2, 1, 1), (3, 1, 1, 2), (1, 2, 2, 2)}
_FOREIGN_LENGTHS = (15, 14, 13, 12, 11, 10, 9)
_NEIGHBOURS = re.compile(r"998|996|993|992|994|995|374|375|380|373|971|972")
_MOST_GROUPS = 8
_HUNDREDS = 3
"""Digits of a spoken hundred: a local number begins with one at most, `двести сорок три ноль один ноль два`."""
_CALL_LENGTHS = (_FULL, _WITHOUT_LEAD, 12, 13, _LOCAL, _SHORT_LOCAL, _VILLAGE)
_SHORT_SHAPES = {(2, 2, 2), (3, 3), (6,), (1, 2, 2)}

_EXTENSION = re.compile(
    r"[\s,;(]{0,3}(?:доб(?:авочн\w{2,3})?\.?|вн(?:утр\w{0,6})?\.?|ext\.?|эчке)[\s:№]{0,3}(?:номер\w?\s)?[0-9]{1,5}(?![0-9])"
)
_PRICE = re.compile(
    r"[\s.,]{0,2}(?:[0-9]{2}\s)?(?:руб|р\b|₽|тыс|тр\b|сум|тәңкә|тенге|коп|евро|доллар|\$|€|%|шт|мл\b|мг\b|гр?\b|кг\b|см\b|мм\b|км\b|лет\b|балл|бонус)"
)
_PLUS = re.compile(r"(?:\+|(?<![^\W\d_])плюс)[\s(]{0,2}\Z")


def plus_before(lower: str, place: int) -> int | None:
    """Where the plus sign, or the word, before the place begins; None when there is none."""
    found = _PLUS.search(lower, max(0, place - 7), place)
    return None if found is None else found.start()


def end_with_extension(lower: str, end: int) -> int:
    """The end of a number that ends at `end`, with its extension."""
    found = _EXTENSION.match(lower, end)
    return end if found is None else found.end()


def is_price(lower: str, end: int) -> bool:
    """Whether what ends here is money or a measure."""
    return _PRICE.match(lower, end) is not None


def looks_mobile(digits: str) -> bool:
    """Whether the digits alone are a Russian mobile number."""
    return (len(digits) == _FULL and digits[0] in "78" and digits[1] == "9") or (
        len(digits) == _WITHOUT_LEAD and digits[0] == "9"
    )


def stop_international(run: Run, first: int) -> int | None:
    """After a plus sign: the group after the number's last; None when too few digits follow."""
    if run.groups[first][0] == "7":
        return run.stop(first, _FULL, is_weak_allowed=True)
    stops = [stop for length in _FOREIGN_LENGTHS if (stop := run.stop(first, length)) is not None]
    return next((stop for stop in stops if _is_dialable(run.digits(first, stop))), stops[0] if stops else None)


def stop_full(run: Run, first: int) -> int | None:
    """Eight or seven and ten digits of a mobile or a city: the group after the last; None for anything else."""
    digits = run.groups[first]
    if digits[0] == "0" and len(digits) == _FULL + 1 and digits[1:3] in {"89", "79"}:
        return first + 1
    if digits[0] not in "78":
        return None
    stop = run.stop(first, _FULL, is_weak_allowed=True)
    if stop is None or not _is_of_one_piece(run, first, stop) or _is_counting(run, first):
        return None
    second = run.rows[run.totals[first] + 1]
    if second == "9":
        return stop
    return (
        stop
        if second in "3478" and run.shape(first, stop)[0] in {1, 4, 5, 11} and run.weak[stop - 1] == run.weak[first]
        else None
    )


def stop_without_lead(run: Run, first: int, *, is_bracketed: bool) -> int | None:
    """Ten digits in a usual shape, `917 264-18-03`, `(8552) 38-12-04`; brackets around the code allow more of them."""
    stop = run.stop(first, _WITHOUT_LEAD)
    if stop is None:
        return None
    shape, digit = run.shape(first, stop), run.groups[first][0]
    if digit == "9":
        is_digit_by_digit = first == 0 and shape == (1,) * _WITHOUT_LEAD
        return stop if shape in _WITHOUT_LEAD_SHAPES or is_digit_by_digit or _has_words(run, first, stop) else None
    return (
        stop if digit in "348" and (shape in _CITY_SHAPES_ALONE or (is_bracketed and shape in _CITY_SHAPES)) else None
    )


def stop_mistyped(run: Run, first: int) -> int | None:
    """A mobile number in its usual groups with one digit too few or too many, `8-917-264-18-0`."""
    stop, start = len(run.groups), run.totals[first]
    length = run.totals[stop] - start
    is_called = run.rows.startswith(("89", "79"), start) and run.shape(first, first + 3) == (1, 3, 3)
    return stop if is_called and abs(length - _FULL) == 1 and run.weak[stop - 1] == run.weak[first] else None


def stop_foreign(run: Run, first: int) -> int | None:
    """A neighbouring country's number in groups, without its plus sign."""
    if _NEIGHBOURS.match(run.rows, run.totals[first]) is None:
        return None
    stop = run.stop(first, 12)
    return stop if stop is not None and stop - first > 2 and _is_dialable(run.digits(first, stop)) else None  # noqa: PLR2004 - groups


def stop_local(run: Run, first: int) -> int | None:
    """Seven digits as city numbers are written, `264-37-19`; in words any grouping."""
    if run.groups[first][0] not in "2345679" or not _begins(run, first):
        return None
    stop = run.stop(first, _LOCAL, is_weak_allowed=_has_words(run, first, len(run.groups)))
    if stop is None or not _begins(run, stop):
        return None
    shape = run.shape(first, stop)
    is_spoken = _has_words(run, first, stop) and shape[0] <= _HUNDREDS and max(shape[1:]) < _HUNDREDS
    return stop if shape in _LOCAL_SHAPES or is_spoken else None


def stop_announced(run: Run, first: int, *, is_beside: bool) -> int | None:
    """After a word such as `тел.`: any length that can be dialled; short ones only right beside the word."""
    for length in _CALL_LENGTHS:
        stop = run.stop(first, length, is_weak_allowed=True)
        if stop is None or (length in {_FULL, _WITHOUT_LEAD} and not _is_call(run.digits(first, stop))):
            continue
        if run.weak[stop - 1] != run.weak[first] and not (
            looks_mobile(run.digits(first, stop)) or _has_words(run, first, stop)
        ):
            continue
        if length > _FULL and not (is_beside and first == 0 and stop == len(run.groups)):
            continue
        if length == _LOCAL and stop_local(run, first) is None:
            continue
        if length < _LOCAL and not (is_beside and run.shape(first, stop) in _SHORT_SHAPES and _begins(run, stop)):
            continue
        return stop
    return None


def _begins(run: Run, place: int) -> bool:
    """Whether a line or the run begins or ends before this group."""
    return place in {0, len(run.groups)} or run.lines[place] > run.lines[place - 1]


def _is_call(digits: str) -> bool:
    return digits[0] in ("78" if len(digits) == _FULL else "34589")


def _is_of_one_piece(run: Run, first: int, stop: int) -> bool:
    """Not a long list of small numbers, of which a part happens to look like a call."""
    return stop - first <= _MOST_GROUPS or (first == 0 and stop == len(run.groups)) or _has_words(run, first, stop)


def _is_counting(run: Run, first: int) -> bool:
    """`8 9 10 11`: days and hours in a row."""
    row = [int(group) for group in run.groups[first : first + 4]]
    return row == list(range(row[0], row[0] + 4))


def _has_words(run: Run, first: int, stop: int) -> bool:
    return True in run.are_words[first:stop]


def _is_dialable(digits: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(f"+{digits}"))
    except phonenumbers.NumberParseException:
        return False
