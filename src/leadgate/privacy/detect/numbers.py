"""Decides what each row of digits is, one label each: the words beside it first, then form, length, prefix and check digit."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from leadgate.privacy.detect import documents, phones
from leadgate.privacy.detect.cues import OTHER, Cue, Cues
from leadgate.privacy.detect.runs import Run, find_flood, find_runs
from leadgate.privacy.detect.spans import Label, Span

_FEWEST_DIGITS = 5
_FIRST_GROUPS = 3
"""How many groups an announced number may stand behind the word, `СНИЛС 1) 147-...`."""
_OR = re.compile(r"[\s,;/]{0,3}(?:(?:или|и|либо|яки|дом|раб)[\s.:]{1,2}){0,2}")
_AFTER = 26
_LIST_GAP = 60
_AFTER_LENGTHS = {
    Label.OMS: (16,),
    Label.CARD: (16, 18, 19),
    Label.SNILS: (11,),
    Label.INN: (12, 10),
    Label.PASSPORT: (10, 9),
    Label.PHONE: (7, 11, 10),
    Label.ACCOUNT: (20,),
}


@dataclass(slots=True)
class _Around:
    """What stands around the run that is being decided.

    Attributes:
        near: cues before it, the nearest first.
        is_blocked: `заказ №` right before it; is_doubtful: the nearest word says it is nobody's, at some distance.
        last: what was found before, for lists.
    """

    lower: str
    cues: Cues
    near: list[Cue]
    last: Span | None
    is_blocked: bool = False
    is_doubtful: bool = False


@dataclass(frozen=True, slots=True)
class _Find:
    stop: int
    label: Label
    rule: str
    cue: str | None = None


def find_numbers(lower: str, taken: Sequence[tuple[int, int]] = ()) -> list[Span]:
    """Phones, documents, cards and accounts outside of the places `taken`, in order of place."""
    runs = [run for run in find_runs(lower, taken) if run.totals[-1] >= _FEWEST_DIGITS]
    flood = [Span(start, end, Label.PHONE, "phone.flood") for start, end in find_flood(lower)]
    if not runs:
        return flood
    cues = Cues(lower)
    spans: list[Span] = []
    for run in runs:
        since = spans[-1].end if spans else 0
        around = _Around(lower, cues, cues.before(run.starts[0], since=since), spans[-1] if spans else None)
        _weigh_others(around, run)
        spans.extend(_decide(around, run))
    return spans + flood


def _weigh_others(around: _Around, run: Run) -> None:
    nearest = around.near[0] if around.near else None
    if nearest is not None and nearest.kind == OTHER:
        around.is_blocked = around.cues.touches(nearest, run.starts[0]) and not around.cues.is_in_phrase(nearest)
        around.is_doubtful = not around.is_blocked


def _decide(around: _Around, run: Run) -> Iterator[Span]:
    first = 0
    while first < len(run.groups):
        found = _find_at(around, run, first)
        if found is None:
            first += 1
            continue
        span = _as_span(around.lower, run, first, found)
        yield span
        around.last = span
        first = found.stop


def _find_at(around: _Around, run: Run, first: int) -> _Find | None:
    if run.totals[-1] - run.totals[first] < _FEWEST_DIGITS:
        return None
    found = None
    if not around.is_blocked and first < _FIRST_GROUPS:
        found = _announced(around, run, first)
    found = found or _called(around, run, first)
    if found is None and not around.is_blocked:
        found = _formed(around, run, first) or _announced_after(around, run, first) or _listed(around, run, first)
    return found


def _announced(around: _Around, run: Run, first: int) -> _Find | None:
    for cue in around.near:
        if cue.kind == OTHER:
            continue
        label = Label(cue.kind)
        is_beside = around.cues.touches(cue, run.starts[0])
        if label is Label.CARD and (stop := documents.stop_account(run, first)) is not None:
            return _Find(stop, Label.ACCOUNT, "account.prefix", cue.word)
        if label is Label.PHONE:
            stop = phones.stop_announced(run, first, is_beside=is_beside)
            if stop is not None and phones.is_price(around.lower, run.ends[stop - 1]):
                stop = None
        else:
            is_close = is_beside or (cue is around.near[0] and around.cues.is_in_sentence(cue, run.starts[0]))
            stop = documents.stop_announced(run, first, label, is_beside=is_beside, is_close=is_close)
        if stop is not None:
            return _Find(stop, label, f"{label.lower()}.announced", cue.word)
    return None


def _called(around: _Around, run: Run, first: int) -> _Find | None:
    """Numbers that can only be calls; right after `заказ №` only those written as calls are."""
    plus = phones.plus_before(around.lower, run.starts[first])
    if plus is not None and (stop := phones.stop_international(run, first)) is not None:
        return _Find(stop, Label.PHONE, "phone.international", "+")
    stop = phones.stop_full(run, first)
    if stop is None or (around.is_blocked and stop - first < _FIRST_GROUPS):
        return None
    digits = run.digits(first, stop)
    if digits[1] != "9" and documents.stop_snils(run, first) is not None and around.cues.find("PHONE") is None:
        return None
    return _Find(stop, Label.PHONE, "phone.full")


def _formed(around: _Around, run: Run, first: int) -> _Find | None:
    """By form and check digit alone, or by a word somewhere in the message."""
    for form in _FORMS:
        found = form(around, run, first)
        if found is not None:
            return found
    return None


def _account(_around: _Around, run: Run, first: int) -> _Find | None:
    stop = documents.stop_account(run, first)
    return None if stop is None else _Find(stop, Label.ACCOUNT, "account.prefix")


def _policy(around: _Around, run: Run, first: int) -> _Find | None:
    stop = _stop_policy(around, run, first)
    word = around.cues.find("OMS")
    return None if stop is None else _Find(stop, Label.OMS, "oms.form", None if word is None else word.word)


def _card(around: _Around, run: Run, first: int) -> _Find | None:
    if around.is_doubtful:
        return None
    stop = documents.stop_card(run, first)
    if stop is not None:
        return _Find(stop, Label.CARD, "card.check")
    stop = run.stop(first, 16)
    is_shaped = stop is not None and run.shape(first, stop) == (4, 4, 4, 4)
    return _Find(stop, Label.CARD, "card.shape") if stop is not None and is_shaped and around.cues.has_money else None


def _snils(around: _Around, run: Run, first: int) -> _Find | None:
    stop = documents.stop_snils(run, first)
    if stop is None or (around.is_doubtful and stop - first == 1):
        return None
    return _Find(stop, Label.SNILS, "snils.check")


def _inn(around: _Around, run: Run, first: int) -> _Find | None:
    stop = _stop_inn_somewhere(around, run, first)
    if stop is not None:
        return _Find(stop, Label.INN, "inn.context", "инн" if "INN" in around.cues.kinds else None)
    stop = None if around.is_doubtful else documents.stop_inn(run, first, length=12)
    return None if stop is None else _Find(stop, Label.INN, "inn.check")


def _passport(around: _Around, run: Run, first: int) -> _Find | None:
    stop = None if around.is_doubtful else documents.stop_passport(run, first, around.lower)
    return None if stop is None else _Find(stop, Label.PASSPORT, "passport.shape")


def _stop_policy(around: _Around, run: Run, first: int) -> int | None:
    """Sixteen digits are a policy where the message speaks of one, or where no card begins like that."""
    stop = documents.stop_policy(run, first)
    if stop is None or around.is_doubtful:
        return None
    is_policy = "OMS" in around.cues.kinds and ("CARD" not in around.cues.kinds or run.groups[first][0] not in "23456")
    return stop if is_policy or run.rows.startswith("16", run.totals[first]) else None


def _local(around: _Around, run: Run, first: int) -> _Find | None:
    is_bracketed = around.lower[run.starts[first] - 1 : run.starts[first]] == "("
    stop = phones.stop_without_lead(run, first, is_bracketed=is_bracketed)
    stop = stop or phones.stop_foreign(run, first) or phones.stop_mistyped(run, first)
    if stop is not None and not phones.is_price(around.lower, run.ends[stop - 1]):
        return _Find(stop, Label.PHONE, "phone.without_lead")
    stop = phones.stop_local(run, first)
    if stop is None or phones.is_price(around.lower, run.ends[stop - 1]) or around.is_doubtful:
        return None
    call = around.cues.find("PHONE")
    gaps = {around.lower[run.ends[place]] for place in range(first, stop - 1)}
    is_hyphened = gaps == {"-"} and run.shape(first, stop) == (3, 2, 2)
    if call is None and not (is_hyphened or True in run.are_words or around.cues.has_number_word):
        return None
    return _Find(stop, Label.PHONE, "phone.local", None if call is None else call.word)


_FORMS = (_account, _policy, _card, _snils, _inn, _passport, _local)
"""The order decides where two fit: a policy's check digit is a card's too."""


def _stop_inn_somewhere(around: _Around, run: Run, first: int) -> int | None:
    """`Напишите ИНН. Наш: ...`: the word stands further off, or a firm is spoken of and the check digit is right."""
    is_spoken_of = "INN" in around.cues.kinds
    for length in (12, 10):
        stop = run.stop(first, length)
        if stop is None or stop - first not in {1, 3, 4} or phones.looks_mobile(run.digits(first, stop)):
            continue
        if is_spoken_of or (
            not around.is_doubtful
            and around.cues.has_firm
            and documents.is_check_right(Label.INN, run.digits(first, stop))
        ):
            return stop
    return None


def _announced_after(around: _Around, run: Run, first: int) -> _Find | None:
    """`... это СНИЛС`: the word behind the number, without another number between."""
    cue = around.cues.after(run.ends[-1], until=run.ends[-1] + _AFTER)
    if (
        cue is None
        or cue.kind == OTHER
        or any(letter in ".!?\n0123456789" for letter in around.lower[run.ends[-1] : cue.start])
    ):
        return None
    label = Label(cue.kind)
    if label is Label.PHONE:
        return None
    stops = [stop for length in _AFTER_LENGTHS[label] if (stop := run.stop(first, length)) is not None]
    stop = next((stop for stop in stops if stop == len(run.groups)), None)
    return None if stop is None else _Find(stop, label, f"{label.lower()}.announced_after", cue.word)


def _listed(around: _Around, run: Run, first: int) -> _Find | None:
    """The same kind again, `СНИЛС дочери ..., мой ...`: a number of the usual length shortly after one that was announced."""
    last = around.last
    if last is None or run.starts[first] - last.end > _LIST_GAP:
        return None
    if last.label is Label.PHONE:
        is_other = _OR.fullmatch(around.lower, last.end, run.starts[first]) is not None
        stop = phones.stop_local(run, first) if is_other else None
    elif last.cue is None or last.label not in _AFTER_LENGTHS:
        return None
    else:
        stop = next(
            (stop for length in _AFTER_LENGTHS[last.label] if (stop := run.stop(first, length)) is not None), None
        )
    return None if stop is None else _Find(stop, last.label, f"{last.label.lower()}.listed", last.cue)


def _as_span(lower: str, run: Run, first: int, found: _Find) -> Span:
    start, end = run.starts[first], run.ends[found.stop - 1]
    if found.label is Label.PHONE:
        plus = phones.plus_before(lower, start)
        start = start if plus is None else plus
        end = phones.end_with_extension(lower, end)
    return Span(
        start,
        end,
        found.label,
        found.rule,
        found.cue,
        documents.is_check_right(found.label, run.digits(first, found.stop)),
    )
