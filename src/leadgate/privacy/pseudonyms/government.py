"""Which case the words before a name ask for: prepositions, titles, verbs with one meaning. Tables and one reader, no dictionary.

What is not in a table asks for nothing, and the name stays in the nominative.
"""

from __future__ import annotations

import re

LEFT_MAX = 64
"""Characters before a name that are looked at."""

_GENITIVE = ("у от до для без из после кроме ради около вместо насчёт насчет против помимо", {"gent"})
_DATIVE = ("к ко по благодаря", {"datv"})
_ACCUSATIVE = ("на про через", {"accs"})
_INSTRUMENTAL = ("с со перед над между", {"ablt"})
_LOCATIVE = ("о об обо при", {"loct"})
_EITHER = ("за под", {"accs", "ablt"})
_PREPOSITIONS = {
    word: frozenset(cases)
    for words, cases in (_GENITIVE, _DATIVE, _ACCUSATIVE, _INSTRUMENTAL, _LOCATIVE, _EITHER)
    for word in words.split()
}
"""«Запись на» takes the accusative, «с» the company one keeps: other meanings of both are rare before people."""

_SEND_TO = (
    *("позвоню", "позвоним", "позвоните", "передам", "передадим", "передайте", "напишу", "напишем", "напишите"),
    *("сообщу", "сообщим", "сообщите", "скажу", "скажем", "помогу", "поможем"),
)
_MEET = (
    *("жду", "ждём", "ждем", "запишу", "запишем", "запишите", "приглашаю", "приглашаем", "пригласите", "поздравляю"),
    *("поздравляем", "позову", "позовём", "позовем", "позовите", "предупрежу", "предупредим", "предупредите"),
    *("попрошу", "попросим", "попросите", "спросите", "увижу", "увидим", "встретим", "встретьте"),
)
_VERBS = dict.fromkeys(_SEND_TO, frozenset({"datv"})) | dict.fromkeys(_MEET, frozenset({"accs"}))
"""In the first person or as a request only: «ждёт Анна» and «записала Анна» tell what Anna does."""

_TITLES = (
    *("мастер", "администратор", "доктор", "косметолог", "стилист", "парикмахер", "массажист", "визажист", "барбер"),
    *("колорист", "бровист", "специалист", "клиент", "менеджер", "консультант"),
)
_TITLE_ENDINGS = {"": {"nomn"}, "а": {"gent", "accs"}, "у": {"datv"}, "ом": {"ablt"}, "е": {"loct"}}
_TITLE_CASES = {title + ending: frozenset(cases) for title in _TITLES for ending, cases in _TITLE_ENDINGS.items()}
_TITLE_CASES |= {"врача": frozenset({"gent", "accs"}), "врачу": frozenset({"datv"}), "врачом": frozenset({"ablt"})}

_WORDS_BEFORE = re.compile(r"(?:(?<![\w-])([А-Яа-яЁё]+)[ \u00a0]+)?(?<![\w-])([А-Яа-яЁё]+)[ \u00a0]+[*_«\"']{0,3}\Z")
_AND = re.compile(r"[*_»\"']{0,3}[ \u00a0]+и[ \u00a0]+[*_«\"']{0,3}")
_NOTHING: frozenset[str] = frozenset()


def cases_before(left: str) -> frozenset[str]:
    """The cases that the words before a name leave open; empty when they do not decide.

    Args:
        left: the text before the name; its last `LEFT_MAX` characters are read.
    """
    found = _WORDS_BEFORE.search(left[-LEFT_MAX:])
    if found is None:
        return _NOTHING
    earlier, last = (found[1] or "").lower(), found[2].lower()
    title = _TITLE_CASES.get(last)
    if title is None:
        return _PREPOSITIONS.get(last) or _VERBS.get(last, _NOTHING)
    governed = _PREPOSITIONS.get(earlier) or _VERBS.get(earlier)
    return title if governed is None else title & governed


def is_joined(between: str) -> bool:
    """Whether two names are joined by «и» alone: the second takes the case of the first."""
    return _AND.fullmatch(between) is not None
