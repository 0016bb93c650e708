"""Phone numbers: one writing for all, E.164. Finding phones inside sentences is the business of `privacy`."""

from __future__ import annotations

import re

_WRITING = re.compile(r"\s*\+?[\s0-9()./\-\u2010-\u2015]{5,40}")
_SEPARATORS = re.compile(r"[^+0-9]+")
_REGION = "RU"
# Mobile numbers but for 93x, whose blocks are not all given out. Most leads carry one; the library is 20 times slower.
_RUSSIAN_MOBILE = re.compile(r"(?:\+7|[78])?(9[0-24-9][0-9]{8})")


def find_e164(text: str) -> str | None:
    """The E.164 form of a phone in any usual writing (`8 900 …`, `7900…`, `+7…`), or None when not valid.

    National writings are Russian. A number that is not valid as Russian may be international without its
    plus, as messengers give it. Words beside the digits make it None: nothing is guessed.
    """
    if not _WRITING.fullmatch(text):
        return None
    bare = _SEPARATORS.sub("", text)
    mobile = _RUSSIAN_MOBILE.fullmatch(bare)
    if mobile is not None:
        return "+7" + mobile.group(1)
    return _find_valid(bare) or (None if bare.startswith("+") else _find_valid("+" + bare))


def _find_valid(text: str) -> str | None:
    import phonenumbers  # noqa: PLC0415 - costs 40 ms that `--help` need not pay

    try:
        number = phonenumbers.parse(text, _REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
