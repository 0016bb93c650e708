"""E-mail addresses, also spelled around a filter: `имя собака яндекс точка ру`, `a (at) b (dot) com`, `a n n a @ mail . ru`."""

from __future__ import annotations

import re

from leadgate.privacy.detect.numerals import WORDS
from leadgate.privacy.detect.spans import Label, Span

_PLAIN = re.compile(
    r"(?<![\w.%+\-])[\w.%+\-]{1,64}@(?:[\w\-]{1,63}\.){1,4}[^\W\d_]{2,12}(?![\w@])",
)
_AT = (
    r"(?:@|\(@\)|[(\[{<]\s?(?:at|эт|собак[аи]|собачк[аи])\s?[)\]}>]"
    r"|(?<=\s)(?:[aа][tт]|эт)(?=\s)|(?<![^\W_])(?:собак[ауеи]|собач\w{1,4}|сабака|сабачка|sobaka|собачкой)(?![^\W_]))"
)
_DOT = r"(?:\s{0,2}[.,]\s{0,2}|\s{0,2}[(\[{<]\s?(?:dot|точка|тчк|\.)\s?[)\]}>]\s{0,2}|\s{1,2}(?:dot|дот|точка|тчк|tochka)\s{1,2})"
_PROVIDER = (
    r"(?:yandex|ya|mail|gmail|g-mail|googlemail|bk|list|inbox|internet|rambler|icloud|hotmail|outlook|yahoo|live|vk|proton(?:mail)?"
    r"|яндекс|яндех|ятндекс|мэ?[ай]+л|мейл|мэйл|мэил|меил|майл|емейл|джи\s?мэ?[ае]?й?л|джимейл|джимэйл|джимайл"
    r"|гмейл|гмэйл|гмайл|гмаил|жмейл|бк|лист|инбокс|рамблер|айклауд"
    r"|аутлук|хотмейл|хотмэйл|яху|вк|я|ya)"
)
_TOP = (
    r"(?:ru|com|net|org|su|рф|ру|ком|нет|орг|рус|tatar|kz|by|uz|info|me|pro|edu|ua|kg|tj|az|am|ge|tr|de|eu|io|online)"
)
_LETTER_NAMES = (
    r"бэ|вэ|гэ|дэ|жэ|зэ|ка|эль|эл|эм|эн|пэ|эр|эс|тэ|эф|ха|хэ|цэ|че|ша|эйч|эй|би|си|ди|джи|ай|джей|кей|оу|пи"
    r"|кью|ар|ти|ви|дабл|икс|уай|зет|игрек|йот"
)
_DOMAIN = re.compile(
    rf"{_AT}\s{{0,2}}(?:"
    rf"{_PROVIDER}(?:{_DOT}|\s{{1,2}}){_TOP}(?![^\W_])|(?:gmail|yandex|mail|rambler|яндекс|м[эе]йл|мэил|джимейл|гмейл|гмайл|инбокс|mailru|gmailcom|yandexru|bkru|inboxru|listru)(?![\w.])"
    rf"|[a-z0-9\-]{{2,40}}(?:{_DOT}[a-z0-9\-]{{2,40}}){{0,2}}{_DOT}{_TOP}(?![^\W_])"
    rf"|[a-z](?:\s[a-z]){{1,12}}\s?\.\s?[a-z]\s?[a-z](?:\s?[a-z])?(?![^\W_]))"
)
_JOIN = (
    r"(?:\s{0,1}[._\-]\s{0,1}|\s{1,2}(?:точка|тчк|dot|tochka|(?:нижнее\s)?подч[её]рк\w{0,10}|underscore|дефис|тире|минус|чёрточка|черточка)\s{1,2}"
    r"|\s?[(\[](?:dot|точка|\.)[)\]]\s?)"
)
_LOCAL = re.compile(
    rf"(?<![\w.+\-])(?:(?:[a-z0-9]\s(?:[._\-]\s)?){{3,40}}|(?:(?:{_LETTER_NAMES}|{WORDS}|[a-zа-я0-9])[\s\-]{{1,2}}){{3,30}}|[\w.+\-]{{1,64}}(?:{_JOIN}[\w+\-]{{1,64}}){{0,5}}(?:\s(?=[0-9]))?(?:[0-9]{{1,6}})?\s{{0,2}})\Z"
)
_HINT = re.compile(r"@|соба[кч]|саба[кч]|sobaka|[(\[{<\s](?:[aа][tт]|эт)[)\]}>\s]")
_BARE_AT = re.compile(r"[aа][tт](?![^\W_])")
_SPELLED_DOT = re.compile(r"dot|дот|точка|тчк")
_MARKED = re.compile(r"[\w][._\-][\w]|[0-9]")
_LOCAL_LIMIT = 90


def find_emails(lower: str) -> list[Span]:
    """Whole addresses in a text in lower case; a domain alone and a bare @ are none."""
    if _HINT.search(lower) is None:
        return []
    spans = [Span(*found.span(), Label.EMAIL, "email.plain", "@") for found in _PLAIN.finditer(lower)]
    return spans + _find_spelled(lower, {place for span in spans for place in (span.start, span.end)})


def _find_spelled(lower: str, taken: set[int]) -> list[Span]:
    spans: list[Span] = []
    done = 0
    for domain in _DOMAIN.finditer(lower):
        if domain.end() in taken:
            done = domain.end()
            continue
        since = max(done, domain.start() - _LOCAL_LIMIT)
        local = _LOCAL.search(lower, since, domain.start())
        if local is not None and local[0].strip() and _is_address(local[0], domain[0]):
            cue = lower[domain.start() : domain.end()].split(maxsplit=1)[0]
            spans.append(Span(local.start(), domain.end(), Label.EMAIL, "email.spelled", cue))
            done = domain.end()
    return spans


def _is_address(local: str, domain: str) -> bool:
    """After a bare `at`, an English word, a spelled dot must follow, or the name must be one: `o.tkachenko at mail ru`."""
    return (
        _BARE_AT.match(domain) is None or _SPELLED_DOT.search(domain) is not None or _MARKED.search(local) is not None
    )
