"""Features of a place: the classes around, the next number, the last street, quotes, whose health is spoken of."""

from __future__ import annotations

from collections.abc import Sequence

from leadgate.privacy.detect.tagger.lexicon import Word
from leadgate.privacy.detect.tagger.tokens import Token

Context = tuple[str, str, str, str, str]
CONTEXT_KINDS = ("l", "r", "lr", "ll", "rr")
"""What the features of the classes around a place begin with."""
View = tuple[str, str, str, str, str, str, str]

_REACH = 4
_STREET_REACH = 6
_NOT_A_HOUSE = frozenset({"UNIT", "MONTH", "MONTH+N", "MONEY", "DAY", ":", "%", "ORD", "SERV"})
_ADDRESS_CUES = frozenset({"STREET", "SETTLE", "HOUSE", "FLAT", "CITY", "DELIVER"})
_QUOTES = frozenset("«\"“„'")
_UNQUOTES = frozenset("»\"”'")
_HEALTH = frozenset({"ILL", "MED", "ILLADJ", "BODY", "ILLV", "AFTER"})
_SHORT = 3
_HOUSE_DIGITS = 3
_SHOPS = frozenset({"PLACEQ", "PLACEQ+N", "NEAR"})


def views_of(tokens: Sequence[Token], known: Sequence[Word]) -> list[View]:
    """For each token: its class, case, next number, last address cue, quote or shop, whose condition, form of the message."""
    size = len(tokens)
    mains = [word.main for word in known]
    nexts = _next_numbers(tokens, mains)
    person = _person(mains)
    words = sum(token.kind == "w" for token in tokens)
    form = "short" if words <= _SHORT else "long"
    views: list[View] = []
    cue, cue_at, place, place_at = "", -_STREET_REACH - 1, "", -_REACH - 1
    quoted_until = -1
    for at in range(size):
        main = mains[at]
        token = tokens[at]
        if token.word in _QUOTES and at > quoted_until:
            quoted_until = _closing(tokens, at)
        street = f"{cue}{at - cue_at}" if at - cue_at <= _STREET_REACH else "-"
        shop = f"{place}{at - place_at}" if at - place_at <= _REACH else "-"
        if at < quoted_until:
            shop = f"q{shop[:1]}"
        before = "g" if at and tokens[at - 1].end == token.start else "s"
        edge = (
            "^"
            if at == 0 or tokens[at - 1].word == "¶"
            else ("$" if at == size - 1 or tokens[at + 1].word == "¶" else "")
        )
        views.append(
            (
                main,
                token.case,
                nexts[at],
                street,
                shop,
                person if main in _HEALTH or main[0] in "UN" else "",
                form + before + edge,
            )
        )
        if main in _ADDRESS_CUES:
            cue, cue_at = main[0:2], at
        if main in _SHOPS:
            place, place_at = main[0], at
    return views


def _closing(tokens: Sequence[Token], at: int) -> int:
    for other in range(at + 2, min(at + 7, len(tokens))):
        if tokens[other].word in _UNQUOTES:
            return other
    return at


def _next_numbers(tokens: Sequence[Token], mains: Sequence[str]) -> list[str]:
    """How far the next number is, at most four, and whether what follows it makes it no house."""
    found = ["-"] * len(tokens)
    at, what = -1, ""
    for place in range(len(tokens) - 1, -1, -1):
        if at > 0 and at - place <= _REACH:
            found[place] = f"{at - place}{what}"
        if tokens[place].kind == "n" or mains[place] == "NUMW":
            following = mains[place + 1] if place + 1 < len(tokens) else "$"
            after = mains[place + 2] if place + 2 < len(tokens) else "$"
            at, what = place, "h"
            if following in _NOT_A_HOUSE or (len(tokens[place].word) > _HOUSE_DIGITS and tokens[place].kind == "n"):
                what = "x"
            elif (
                following in {".", "-"}
                and tokens[place + 1].end - tokens[place].end == 1
                and after[:1] == "N"
                and following == "."
            ):
                what = "d"
            elif mains[place] == "NUMW":
                what = "w"
    return found


def _person(mains: Sequence[str]) -> str:
    """Whose condition it may be: the writer's, a relative's, a named person's; or a question in general."""
    seen = set(mains)
    who = "m" if "PRON1" in seen else ""
    who += "k" if seen & {"KIN", "KINT", "HON", "PRON3"} else ""
    who += "n" if seen & {"NM", "PT", "SN"} else ""
    return f"{who}{'?' if 'GENQ' in seen else ''}{'v' if 'ILLV' in seen else ''}"


def context_features(context: Context) -> list[str]:
    """Classes of the five tokens around a place."""
    two, one, own, right, far = context
    return [
        f"l|{one}|{own}",
        f"r|{own}|{right}",
        f"lr|{one}|{own}|{right}",
        f"ll|{two}|{one}|{own}",
        f"rr|{own}|{right}|{far}",
    ]


def view_features(view: View) -> list[str]:
    """What is seen from a place, each with the class that stands there."""
    main, case, number, street, shop, person, form = view
    features = [
        f"c|{case}|{main}",
        f"c|{case}",
        f"n|{number}|{main}",
        f"n|{number}",
        f"s|{street}|{main}",
        f"s|{street}",
        f"ns|{number[:1]}{number[1:]}|{street}",
        f"q|{shop}|{main}",
        f"q|{shop}",
        f"f|{form}|{main}",
        f"f|{form}",
        f"cf|{case}|{form}|{main}",
    ]
    if person:
        features += [f"h|{person}|{main}", f"h|{person}"]
    return features
