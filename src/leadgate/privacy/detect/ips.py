"""Internet addresses of people's devices; versions of programs, which look the same, are left alone."""

from __future__ import annotations

import ipaddress
import re

from leadgate.privacy.detect.spans import Label, Span

_V4 = re.compile(r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w]|\.[0-9])")
_V4_LOOSE = re.compile(r"(?<![\w.])[0-9]{1,3}(?:(?:\s?[.,\-]\s?|\s|\s?точка\s?)[0-9]{1,3}){3}(?![\w]|[.,\-][0-9])")
_V6 = re.compile(r"(?<![\w:.])(?=[0-9a-f]{0,4}:)[0-9a-f:]{3,39}(?![\w:])")
_CUE = re.compile(
    r"(?<![^\W_])(?:ip(?:v[46])?|айпи\w{0,6}|ай-пи\w{0,4}|ип-?адрес\w{0,3}|роутер\w{0,2}|провайдер\w{0,2}|вход\w{0,2}|заход\w{1,4}|адрес\w{0,3}|ноут\w{0,6}|комп\w{0,8}|сет[ьи]|сетев\w{2,3}|вай-?фай\w{0,2}|wi-?fi|доступ\w?|заблок\w{1,8}|капч\w)(?![^\W_])"
)
_EXPLICIT = re.compile(r"(?<![^\W_])(?:ip|айпи\w{0,6}|ай-пи)(?![^\W_])")
_VERSION = re.compile(
    r"(?<![^\W_])(?:верси\w{1,4}|version|ver|v|обнов\w{1,10}|прошивк\w{1,3}|приложени\w{1,3}|приложух\w|сборк\w{1,2}|build|билд\w?|android|ios|релиз\w?|драйвер\w?|юрама\w{0,4})"
    r"(?![^\W\d_])[^0-9!?]{0,30}\Z"
)
_BEFORE = 50
_LOW = 32


def find_ips(lower: str, digits: str) -> list[Span]:
    """Addresses of both kinds in a text in lower case; `digits` is the same with letters that stand for digits made digits."""
    cue = _CUE.search(lower)
    word = None if cue is None else cue[0]
    spans = [
        Span(*found.span(), Label.IP, "ip.v4", word) for found in _V4.finditer(digits) if _is_v4(lower, found, word)
    ]
    explicit = None if spans else _EXPLICIT.search(lower)
    if explicit is not None:
        loose = _V4_LOOSE.search(lower, max(0, explicit.start() - _BEFORE), explicit.end() + _BEFORE)
        if loose is not None and _has_octets(re.findall(r"[0-9]+", loose[0])):
            spans.append(Span(*loose.span(), Label.IP, "ip.spaced", word))
    if ":" in lower:
        spans += [Span(*found.span(), Label.IP, "ip.v6", word) for found in _V6.finditer(lower) if _is_v6(found[0])]
    return spans


def _is_v4(lower: str, found: re.Match[str], cue: str | None) -> bool:
    octets = found[0].split(".")
    if not _has_octets(octets) or _VERSION.search(lower, max(0, found.start() - _BEFORE), found.start()) is not None:
        return False
    if octets[0] in {"0", "127", "255"}:
        return False
    return cue is not None or max(map(int, octets)) >= _LOW


def _has_octets(octets: list[str]) -> bool:
    return all(int(octet) <= 255 for octet in octets)  # noqa: PLR2004 - the largest octet


def _is_v6(text: str) -> bool:
    if text.count(":") < 2 or len(text.replace(":", "")) < 4 or text.isdecimal():  # noqa: PLR2004 - fewer is a time or a list
        return False
    try:
        ipaddress.IPv6Address(text)
    except ipaddress.AddressValueError:
        return False
    return True
