"""User names: links to profiles, `@handle`, and a bare handle that a word announces, `ник в тг zulya_k`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from leadgate.privacy.detect.spans import Label, Span

_SITES = (
    r"t\.me|telegram\.(?:me|dog|org)|wa\.me|api\.whatsapp\.com|vk\.(?:com|ru|me)|m\.vk\.com|vkontakte\.ru|instagram\.com|instagr\.am|ok\.ru|odnoklassniki\.ru"
    r"|facebook\.com|fb\.com|fb\.me|m\.me|tiktok\.com|youtube\.com|threads\.net|twitter\.com|x\.com|linkedin\.com/in|discord(?:app)?\.com/users|max\.ru"
    r"|pinterest\.(?:com|ru)|behance\.net|github\.com|twitch\.tv|my\.mail\.ru|viber\.click|dzen\.ru|taplink\.(?:cc|ws)|likee\.video|rutube\.ru"
)
_LINK = re.compile(
    rf"(?<![\w.@/])(?:https?://)?(?:www\.)?(?:{_SITES})/(?!(?:p|reel|reels|explore|wall|video|watch|app|market|club|public|topic|album|hashtag|joinchat)[/\d\-?_])"
    r"[\w.@~+?=&%/\-]{2,80}",
)
_SCHEMED = re.compile(
    r"(?<![\w])(?:(?:t|vk|wa)(?:\s\.\s?|\.\s)(?:me|com)\s?/\s?[\w.]{3,40}|live:[\w.]{3,40}"
    r"|tg://[\w?=&/]{3,60}|viber://[\w?=&%/+]{3,60}|skype:[\w.\-]{3,40}|whatsapp://[\w?=&%/+]{3,60})"
)
_HANDLE = re.compile(
    r"(?<![\w.@/])@(?=[\w.]{0,31}[a-zа-яё0-9])(?![0-9]{1,2}(?:[:.\-]|\b))[a-z0-9_а-яё](?:[\w.\-]{0,38}\w)(?!@)"
)
_GROUP = re.compile(r"@\s?(?:all|everyone|here|channel|online|admins?|все|всем|админы?|everybody)\Z")

_EXPLICIT = (
    r"(?:ник(?:нейм|ом|и|а|у)?|логин\w{0,2}|юзер(?:нейм)?\w{0,2}|username|user|nick(?:name)?"
    r"|аккаунт\w{0,2}|акк(?:а|у|ом|аунтом)?|account|login)"
)
_PLATFORM = (
    r"(?:тг|tg|тгшк\w|телег\w{0,8}|тележк\w|telegram\w{0,4}|инст\w{0,10}|inst|insta\w{0,10}|вк|vk|вконтакт\w{0,4}|контакт[еа]"
    r"|дискорд\w{0,2}|discord|дс|скайп\w{0,2}|skype"
    r"|тикток\w{0,2}|tiktok|вайбер\w{0,2}|viber|вотс\w{0,6}|ватс\w{0,6}|whatsapp|фейсбук\w{0,2}|facebook|максе?|тредс\w?|ютуб\w?|твич\w?|стим\w?|steam)"
)
_ANNOUNCED = re.compile(rf"(?<![^\W_])(?:(?P<explicit>{_EXPLICIT})|{_PLATFORM})(?![^\W_])")
_BARE = re.compile(r"(?<![\w.@/:\-])[a-z][a-z0-9_.\-]{2,38}[a-z0-9_](?:#[0-9]{4})?(?![\w@/])")
_BARE_ANY = re.compile(r"(?<![\w.@/:\-])(?=[^\W_]{0,20}[0-9_])[^\W\d_][\w.]{2,38}(?![\w@/])")
_MARKED = re.compile(r"[0-9_]|[a-z]\.[a-z]")
_FILLER = re.compile(
    r"(?:[\s:;,«»\"'(=\-–]++|(?:мой|моя|моё|мое|это|ник\w{0,4}|логин|такой|там|теперь|сейчас|пишите|напишите|ищите|найдите|вот|под|в|во|на|у|меня|нас|мне|зовут|как|я|мы|тут|здесь|добав\w{1,5}|пиши|стучи\w{0,4}|ловите|держите|собака|минем|минеке|мин"
    r"|новый|новая|личный|личная|рабочий|тот же|одинаковый|и|или|подпис\w{1,6}|по|нику|нике|аккаунт\w?|страниц\w|профил\w|"
    + _PLATFORM[3:-1]
    + r")(?![^\W_])){0,10}"
)
_SPELLED_TAIL = re.compile(
    r"(?:\s(?:(?:нижнее\s)?подч[её]рк\w{0,10}|точка|тире|дефис|underscore)\s[a-z0-9_.]{1,30}){1,4}"
)
_LATIN_NEXT = re.compile(r"[ ,]{1,2}[a-z]{2}")
_DOMAIN_END = re.compile(r"\.(?:ru|com|net|org|рф|su|io|pdf|jpe?g|png|docx?)\Z")
_BRANDS = re.compile(
    r"(?:telegram|whatsapp|instagram|viber|insta?|tik-?tok|discord|skype|facebook|youtube|google|apple|android|iphone|ios|vkontakte|avito|max|ozon"
    r"|wildberries|direct|stories|reels|live|post|story|gmail|yandex|mail|online|chat|bot|bots|login|nick(?:name)?|user(?:name)?|account|profile"
    r"|samsung|xiaomi|huawei|windows|premium|business|web|desktop|app|steam|wi-?fi)\Z"
)
_WINDOW = 60
_HINT = re.compile(r"@|live:|\.\s?(?:me|com|ru|net|am|tv|dog|org)\s?/|://|skype:")
_A_LATIN = re.compile(r"[a-z_]")


def find_handles(lower: str, taken: list[Span]) -> list[Span]:
    """User names in a text in lower case, outside of the e-mail addresses `taken`."""
    spans: list[Span] = []
    if _HINT.search(lower) is not None:
        spans += [
            Span(found.start(), _trimmed(found), Label.USERNAME, "username.link") for found in _LINK.finditer(lower)
        ]
        spans += [Span(*found.span(), Label.USERNAME, "username.link") for found in _SCHEMED.finditer(lower)]
        if "@" in lower:
            spans += [_with_at(found) for found in _HANDLE.finditer(lower) if _GROUP.match(found[0]) is None]
    if _A_LATIN.search(lower) is not None:
        spans += _find_bare(lower, [*taken, *spans])
    return spans


def _with_at(found: re.Match[str]) -> Span:
    return Span(*found.span(), Label.USERNAME, "username.at", "@")


def _trimmed(found: re.Match[str]) -> int:
    return found.start() + len(found[0].rstrip(".-/?&=%+"))


def _find_bare(lower: str, taken: list[Span]) -> Iterator[Span]:
    done = 0
    for cue in _ANNOUNCED.finditer(lower):
        if cue.end() < done:
            continue
        found = _bare_after(lower, cue)
        if found is not None and not any(span.start < found.end and found.start < span.end for span in taken):
            done = found.end
            yield found


def _bare_after(lower: str, cue: re.Match[str]) -> Span | None:
    """The first word in Latin letters behind the cue: a marked one (digit, underline, inner dot) or one right behind."""
    end = cue.end() + _WINDOW
    for pattern in (_BARE, _BARE_ANY):
        if pattern is _BARE_ANY and cue["explicit"] is None:
            continue
        found = pattern.search(lower, cue.end(), end)
        if found is None or _BRANDS.match(found[0]) is not None or _DOMAIN_END.search(found[0]) is not None:
            continue
        between = lower[cue.end() : found.start()]
        is_marked = _MARKED.search(found[0]) is not None
        is_prose = not is_marked and _LATIN_NEXT.match(lower, found.end()) is not None
        if (is_marked and not _ends(between)) or (not is_prose and _FILLER.fullmatch(between) is not None):
            tail = _SPELLED_TAIL.match(lower, found.end())
            return Span(
                found.start(), tail.end() if tail else found.end(), Label.USERNAME, "username.announced", cue[0]
            )
    return None


def _ends(between: str) -> bool:
    return any(letter in between for letter in ".!?\n")
