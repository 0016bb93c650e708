"""Does a client ask something about their own data, and what? Pure; when in doubt no: an administrator reads the words anyway.

A request needs three things in one sentence: a verb of asking in the imperative or infinitive (endings may be mistyped), something
that is data (a booking is none), and that it is the client's own. Words that take a consent back are not looked for here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from leadgate.model.requests import RequestKind
from leadgate.privacy.detect.fold import fold

_LONGEST = 3000
"""Characters that are read: a letter of claim is shorter."""

_SENTENCE = re.compile(r"[^.!?;\n]+[.!?;]?")
_GAP = r"(?:[\s,:«»\"'()-]+[\w-]+){0,4}[\s,:«»\"'()-]+"
"""Up to four words between two that belong together."""

_ADJECTIVE = r"(?:(?:все|всю|эти|персон\w+|личн\w+|контактн\w+|собственн\w+|сохран[её]н\w+)\s+)*"
_DATA = r"(?:дан{1,2}[ыи][еяхм]и?|инф[оау](?:рмаци\w{1,2})?|сведени\w{1,2})"
_ABOUT_ME = r"(?:об?о?\s+мне|про\s+меня|на\s+меня|о\s+себе|про\s+себя)"
_MY = r"(?:мо(?:и|их|ими|им|ю|е|я|й|его|ей|ем|ему))"
_OWN_DATA = rf"(?:{_MY}\s+{_ADJECTIVE}{_DATA}|{_DATA}(?:\s*,?\s*\w+){{0,4}}\s+{_ABOUT_ME}|{_ABOUT_ME}\s+(?:\w+\s+){{0,3}}{_DATA})"
_ALL_ABOUT_ME = rf"(?:вс[её]|всю)(?:\s*,?\s*\w+){{0,5}}\s+{_ABOUT_ME}"
_OUR_BASE = r"(?:баз[ыаеу]|crm|срм|систем[ыаеу]|картотек\w|списк\w{1,2}\s+клиентов)"
_PERSONAL = (
    r"(?:номер\w?(?:\s+телефона)?|телефон\w?|имя|имени|фамили[юия]\w?|отчеств\w|почт[уыа]|e-?mail|имейл\w?|мейл\w?"
    r"|дат[уыа]\s+рождени[яе]|день\s+рождени[яе]|адрес\w?|профил\w|карточк[уаи](?!\s+(?:банк|сбер|тиньк|лояльн))|аккаунт\w?|контакт\w{0,2})"
)
_OF_SOMETHING_ELSE = (
    r"(?!\s+(?:(?:моей|моего|вашего|вашей|наш\w+)\s+)?(?:в\s+очеред\w+|заказа|заявки|записи|брони|места|кабинета|мастера|администратора"
    r"|салона|карты|сертификата|доставки|подруги|друга|мужа|жены|дочери|сына|мамы|сестры|брата|клиент\w+))"
)
_OWN_TRAIT = rf"(?:{_MY}\s+(?:\w+\s+)?{_PERSONAL}{_OF_SOMETHING_ELSE}|{_PERSONAL}\s+{_MY}\b)"
_BOOKING = re.compile(
    r"\b(?:запис(?!ан)\w+|брон\w+|очеред\w+|визит\w*|при[её]м\w*|сеанс\w*|окошк\w+|слот\w*|яз\w*лу\w*)\b"
)

_ERASE_VERB = (
    r"(?:уд[ао]л(?:и|яй|е|ит)(?:те|ть|ти|т|ь)?|сотрите|сотри|стереть|уничтож(?:ьте|ь|ить|те|айте)|вычеркн(?:ите|и|уть)"
    r"|убрать|убер(?:ите|и|ете)|очист(?:ите|и|ить)|чтобы?\s+(?:вы\s+)?(?:удалил[ии]|стёрли|стерли|уничтожили))"
)
_ERASE_NOUN = r"(?:удалени[еяю]|уничтожени[еяю]|стирани[еяю])"
_CORRECT_VERB = (
    r"(?:исправ(?:ь|ьте|те|ить|ити)|измен(?:и|ите|ить|ети)|поменя(?:й|йте|ть|те)|сменить|смен(?:ите|и)|обнов(?:и|ите|ить)|поправ(?:ь|ьте|ить|те)"
    r"|замен(?:и|ите|ить))"
)
_GIVE_VERB = (
    r"(?:(?:пришл|вышл|покаж|сообщ)(?:и|ите|ете)|прислать|выслать|показать|сообщить|предостав(?:ь|ьте|ить|те)|отправ(?:ь|ьте|ить)|выгруз(?:и|ите|ить)"
    r"|да(?:й|йте|ть)|выда(?:й|йте|ть)|получить|узнать|увидеть|посмотреть|запрашиваю|запросить|ознакомиться|раскрыть|раскройте)"
)
_KEEP_VERB = (
    r"(?:хран\w{1,4}|собира\w{1,4}|собрал\w|обрабатыва\w{1,4}|име\w{2,4}|зна\w{2,4}|есть|остал\w{1,3}"
    r"|записан\w|сохран\w{1,5}|использу\w{1,4}|переда[её]\w{1,3})"
)
_STOP_VERB = (
    r"(?:прекрат(?:и|ите|ить|ете)|останов(?:и|ите|ить)|перестан(?:ь|ьте|те)|запрещаю|запретить"
    r"|требую\s+прекра\w+|прекращени[еяю])"
)
_PROCESSING = (
    r"(?:обработк[уиае]|обрабатывать|хранить|хранени[еяю]|использовать|использовани[еяю]|собирать|сбор"
    r"|передавать|передачу|распростран\w+)"
)

_ENGLISH_DATA = (
    r"(?:my\s+(?:\w+\s+){0,2}(?:data|information|info|details|records?|account|profile)"
    r"|(?:data|information|info|everything|all)\s+(?:\w+\s+){0,4}(?:about|on)\s+me)"
)
_ENGLISH_TRAIT = (
    r"my\s+(?:\w+\s+)?(?:name|surname|phone(?:\s+number)?|e-?mail(?:\s+address)?"
    r"|date\s+of\s+birth|birth\s?date|data|details|information)"
)
_TATAR_DATA = r"м[әэа]г[ъь]?л[үу]мат\w*"
_TATAR_ABOUT_ME = r"(?:минем|мин[әе]м)"
_TATAR_NUMBER = r"(?:номер\w*|телефон\w*|исем\w*|фамили\w*)"

_RULES: tuple[tuple[RequestKind, tuple[str, ...]], ...] = (
    (
        RequestKind.ERASE,
        (
            rf"\b{_ERASE_VERB}{_GAP}?(?:{_OWN_DATA}|{_ALL_ABOUT_ME})",
            rf"\b(?:{_OWN_DATA}|{_ALL_ABOUT_ME}){_GAP}?{_ERASE_VERB}\b",
            rf"\b{_ERASE_VERB}{_GAP}?(?:меня|{_OWN_TRAIT}){_GAP}?(?:из|с|в)\s+(?:\w+\s+){{0,2}}{_OUR_BASE}",
            rf"\b{_ERASE_VERB}\s+(?:пожалуйста\s+|пож\s+)?{_OWN_TRAIT}",
            rf"\b{_ERASE_NOUN}\s+(?:всех\s+)?(?:{_OWN_DATA}|персональн\w+\s+данн\w+)",
            rf"\b(?:удалиться|убраться|выписаться)\s+из\s+(?:вашей\s+)?{_OUR_BASE}",
            rf"\bзабуд(?:ь|ьте)\s+(?:{_ALL_ABOUT_ME}|об?о?\s+мне\s+вс[её])",
            rf"\b(?:delete|erase|remove|destroy|wipe)\s+(?:\w+\s+){{0,3}}?{_ENGLISH_DATA}",
            rf"\b{_TATAR_ABOUT_ME}\s+(?:\w+\s+){{0,3}}{_TATAR_DATA}\s+(?:\w+\s+){{0,2}}(?:бетер|юк\s+ит|с[өо]рт)\w*",
            rf"\b{_TATAR_DATA}(?:ымны|ларымны|емне|лэремне)\s+(?:\w+\s+){{0,2}}(?:бетер|юк\s+ит|с[өо]рт)\w*",
        ),
    ),
    (
        RequestKind.STOP,
        (
            rf"\b{_STOP_VERB}{_GAP}?{_PROCESSING}\s+(?:всех\s+)?(?:{_MY}\s+)?{_ADJECTIVE}{_DATA}",
            rf"\b{_STOP_VERB}{_GAP}?{_PROCESSING}\s*(?:пожалуйста|немедленно)?\s*[.!]?\s*$",
            rf"\bне\s+(?:смейте\s+)?(?:обрабатыва|храни|используй|собира|передава|распростран)\w*{_GAP}?{_OWN_DATA}",
            rf"\bне\s+(?:надо|нужно)\s+(?:больше\s+)?{_PROCESSING}\s+{_OWN_DATA}",
            rf"\bпротив{_GAP}?обработк\w{_GAP}?{_OWN_DATA}",
            rf"\bstop\s+(?:processing|using|storing|sharing|collecting)\s+(?:\w+\s+){{0,2}}?{_ENGLISH_DATA}",
            rf"\b{_TATAR_DATA}(?:ымны|ларымны|емне|лэремне)\s+(?:\w+\s+){{0,2}}эшк[әэа]рт\w*\s+(?:\w+\s+){{0,2}}туктат\w*",
        ),
    ),
    (
        RequestKind.BLOCK,
        (
            rf"\b(?:за)?блокир(?:уй|уйте|овать|ует[ие])\s+(?:\w+\s+)?(?:обработку\s+)?{_OWN_DATA}",
            rf"\b(?:заморозь|заморозьте|заморозить|приостанов(?:и|ите|ить))\s+(?:\w+\s+){{0,2}}{_OWN_DATA}",
            rf"\bприостанов(?:и|ите|ить)\s+(?:\w+\s+)?обработку\s+{_ADJECTIVE}{_OWN_DATA}",
            rf"\b(?:block|freeze|restrict)\s+(?:\w+\s+){{0,3}}?{_ENGLISH_DATA}",
        ),
    ),
    (
        RequestKind.CORRECT,
        (
            rf"\b{_CORRECT_VERB}\s+(?:\w+[\s,]+){{0,2}}?(?:{_OWN_TRAIT}|{_OWN_DATA})",
            rf"\b(?:{_OWN_TRAIT}|{_OWN_DATA})\s+(?:\w+\s+){{0,2}}?{_CORRECT_VERB}\b",
            rf"\b{_CORRECT_VERB}\s+(?:\w+\s+)?фамили[юя]{_OF_SOMETHING_ELSE}",
            rf"\b(?:фамили\w|имя|телефон|номер\s+телефона)\s+(?:\w+[\s,]+){{0,4}}{_CORRECT_VERB}\s+(?:\w+\s+){{0,3}}(?:у\s+себя|в\s+{_OUR_BASE})",
            rf"\b(?:смен|помен)ял\w+\s+фамили\w(?:[\s,]+\w+){{0,3}}[\s,]+{_CORRECT_VERB}\b",
            rf"\b(?:ошибк|опечатк)\w\s+в\s+{_MY}\s+{_ADJECTIVE}(?:{_DATA}|{_PERSONAL})",
            rf"\bв\s+{_MY}\s+{_ADJECTIVE}(?:{_DATA}|{_PERSONAL})\s+(?:\w+\s+){{0,2}}ошибк\w",
            rf"\b(?:неправильн\w+|неверн\w+|не\s+так|с\s+ошибкой)\s+(?:\w+\s+)?(?:указан|записан|написан)\w*\s+(?:{_OWN_TRAIT}|фамили\w)",
            rf"\b(?:correct|change|update|fix)\s+(?:\w+\s+)?{_ENGLISH_TRAIT}\b(?!\s+(?:of|tag)\b)",
            rf"\b{_TATAR_NUMBER}(?:ымны|емне|мны|мне)\s+(?:\w+\s+){{0,2}}(?:т[өо]з[әэа]т|[үу]зг[әэа]рт)\w*",
        ),
    ),
    (
        RequestKind.ACCESS,
        (
            rf"\bкак(?:ие|ая|ую|ой|их)\b{_GAP}?{_OWN_DATA}(?:{_GAP}?{_KEEP_VERB})?",
            rf"\bкак(?:ие|ая|ую|ой|их)\s+{_ADJECTIVE}{_DATA}{_GAP}?{_KEEP_VERB}{_GAP}?{_ABOUT_ME}",
            rf"\bчто\s+(?:(?:ещё|еще|именно|там|за)\s+)?(?:вы|у\s+вас|вам)\s+(?:\w+\s+){{0,3}}{_ABOUT_ME}\s*(?:{_KEEP_VERB})?\s*[?.!]?$",
            rf"\b{_KEEP_VERB}\s+ли\s+(?:вы\s+|у\s+вас\s+)?{_OWN_DATA}",
            rf"\b(?:храните|обрабатываете|собираете)\s+(?:вы\s+)?{_OWN_DATA}[^?]{{0,40}}\?",
            rf"\b{_GIVE_VERB}{_GAP}?(?:(?:копию|выгрузку|отч[её]т|выписку)\s+(?:всех\s+)?)?(?:{_OWN_DATA}|{_ALL_ABOUT_ME})",
            rf"\b(?:доступ\s+к|обрабатыва\w+\s+ли|есть\s+ли\s+у\s+вас|сведени\w+\s+об\s+обработке)\s+(?:вы\s+)?{_OWN_DATA}",
            rf"\bчто\s+(?:вы|у\s+вас)?\s*{_ABOUT_ME}\s+(?:у\s+вас\s+)?(?:храните|записано|сохранено|собрано|есть)\b",
            rf"\b(?:копи[юя]|выгрузк[уа]|выписк[уа])\s+(?:всех\s+)?{_OWN_DATA}",
            rf"\bоткуда\s+(?:у\s+вас\s+|вы\s+(?:взяли|узнали|знаете)\s+)(?:{_OWN_DATA}|{_OWN_TRAIT})",
            rf"\b(?:кому|куда)\s+(?:вы\s+)?переда\w+\s+{_OWN_DATA}",
            r"\b(?:what|which)\s+(?:\w+\s+)?(?:data|information|info|details)\s+(?:\w+\s+){0,4}(?:about|on)\s+me\b",
            r"\bwhat\s+do\s+you\s+(?:know|have|keep|store|hold)\s+(?:about|on)\s+me\b",
            rf"\b(?:send|give|show|export|provide)\s+(?:me\s+)?(?:\w+\s+){{0,4}}?{_ENGLISH_DATA}",
            rf"\bcopy\s+of\s+{_ENGLISH_DATA}",
            rf"\b{_TATAR_ABOUT_ME}\s+(?:турында|турыда|хакында)\s+(?:\w+\s+){{0,3}}{_TATAR_DATA}",
            rf"\b(?:нинди|кайсы)\s+{_TATAR_DATA}\s+(?:\w+\s+){{0,3}}{_TATAR_ABOUT_ME}\s+(?:турында|хакында)",
        ),
    ),
)

_NOT_MEANT = re.compile(
    r"\bне\s+(?:надо\s+|нужно\s+|стоит\s+|хочу\s+)?(?:уд[ао]л|стир|сотр|стер|уничтож|меня|измен|исправ|блокир|заблокир)"
    r"|\b(?:don'?t|do\s+not|never)\s+(?:delete|erase|remove|change|correct|block|send)\b"
    r"|\b(?:карт[ыау]|оплат\w+|перевод\w*|реквизит\w*)\s+(?:\w+\s+)?(?:данн|для)|\bданн\w+\s+(?:\w+\s+)?(?:карт\w|для\s+(?:оплат|перевод))"
)
"""The opposite, and data of a payment."""


_TO_OTHERS = re.compile(
    r"\b(?:мастер(?:у|ам)|администратор(?:у|ам)|врачу|доктору|подруге|мужу|жене|сестре|маме)\b|\bto\s+(?:the|my|your)\s+\w+"
)
"""Somebody else shall have it."""


@cache
def _compiled() -> Sequence[tuple[RequestKind, re.Pattern[str]]]:
    """A tenth of a second, which a command that reads no words need not wait for."""
    return [(kind, re.compile("|".join(f"(?:{rule})" for rule in rules))) for kind, rules in _RULES]


def find_request(words: str) -> RequestKind | None:
    """What the client asks about their own data; None when they do not.

    Of several things the gravest counts: what is to be erased is not sent first.
    """
    text = fold(words[:_LONGEST]).text.casefold().replace("ё", "е")
    kinds = {kind for sentence in _SENTENCE.findall(text) if (kind := _in_sentence(sentence.strip())) is not None}
    return next((kind for kind, _ in _RULES if kind in kinds), None)


def _in_sentence(sentence: str) -> RequestKind | None:
    if _NOT_MEANT.search(sentence):
        return None
    return next((kind for kind, rule in _compiled() if rule.search(sentence) and _is_clear(kind, sentence)), None)


def _is_clear(kind: RequestKind, sentence: str) -> bool:
    """A number or a name beside a booking is about the booking, the word "data" is not; data for a master is no request."""
    if kind is RequestKind.ACCESS:
        return _TO_OTHERS.search(sentence) is None
    if kind not in (RequestKind.ERASE, RequestKind.CORRECT) or not _BOOKING.search(sentence):
        return True
    return _CLEARLY_DATA.search(sentence) is not None


_CLEARLY_DATA = re.compile(rf"{_OWN_DATA}|{_ALL_ABOUT_ME}|{_OUR_BASE}|{_ENGLISH_DATA}|{_TATAR_DATA}")
