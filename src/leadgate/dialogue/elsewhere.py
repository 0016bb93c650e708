"""Does a client ask to go on in another messenger? Pure; when in doubt no: an administrator reads the words anyway."""

from __future__ import annotations

import re

from leadgate.dialogue.script import find_phone

_LONGEST_WORDS = 15
"""A longer message is about something else, too."""

_PLACES = {
    "whatsapp": r"(?:what?s?\s?app?|в[оа]тс?\s?апп?|в[оа]ц+апп?|уотс?апп?)\w{0,2}",
    "telegram": r"(?:telegram|телеграм\w{0,3}|телег[аеу]|тг)",
    "vk": r"(?:vk|вк|в?контакт\w{0,2})",
    "max": r"(?:max|макс[еу]?)",
    "instagram": r"(?:instagram|инстаграм\w{0,3}|инст[аеу])",
    "avito": r"(?:avito|авито)",
}
_INTO = re.compile(
    r"(?:\b(?:во?|на|через|по|есть(?:\s+ли)?(?:\s+(?:у\s+вас|вы))?|on|in|via|to|have)\s+)(?:"
    + "|".join(f"(?P<{kind}>{words})" for kind, words in _PLACES.items())
    + r")\b",
    re.IGNORECASE,
)
_ANOTHER = re.compile(
    r"\b(?:друг\w{2,3}|ин(?:ой|ом)|любой)\s+(?:\w+\s+)?(?:мессенджер\w{0,2}|соцсет\w{1,2}|чат\w{0,2})|\bмессенджер\w{0,2}\b.*\?"
    r"|\banother\s+(?:messenger|app|chat)\b",
    re.IGNORECASE,
)
_WISH = re.compile(
    r"\?|\b(?:можно|можете|могу|мож|есть|хочу|хотел\w{0,2}|хотелось|удобн\w+|лучше|давайте|давай|перейти|перейд\w+|переход\w*"
    r"|напишите|пишите|писать|написать|общаться|связаться|продолжим|продолжить|can|could|may|let|prefer|switch|have|there)\b",
    re.IGNORECASE,
)
_STORY = re.compile(
    r"\b(?:писал\w?|написал\w?|видел\w?|увидел\w?|наш[её]л|нашла|узнал\w?|прочитал\w?|wrote|saw|found)\b", re.IGNORECASE
)
"""What they tell of the past: that they come from there, not that they want to go there."""


def find_wish(words: str) -> frozenset[str] | None:
    """Kinds of the messengers that the client would rather write in, empty when any will do; None when there is no such wish."""
    if len(words.split()) > _LONGEST_WORDS or find_phone(words) is not None:
        return None
    named = {kind for found in _INTO.finditer(words) for kind, word in found.groupdict().items() if word}
    is_asked = bool(named) or _ANOTHER.search(words) is not None
    if not is_asked or _STORY.search(words) or not _WISH.search(words):
        return None
    return frozenset(named)
