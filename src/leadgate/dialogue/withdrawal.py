"""Does a client withdraw a consent, or want no more messages? Pure.

A withdrawal acts at once and in any state, so words must be clear: «стоп» alone, not «стоп, я ошиблась, на 15:00»; «отзываю
согласие», not «как отозвать согласие?» and not «не отзываю».
"""

from __future__ import annotations

import re
from enum import StrEnum

MAX_LENGTH = 3000
"""Characters. Enough for the letters that lawyers write; of anything longer a person has to make sense."""

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_CLAUSE = re.compile(r"[.,!?;:()\n]+")
_SPACES = re.compile(r"[^\w]+")
_POLITE = re.compile(
    r"^(?:(?:пожалуйста|прошу|все|всё|спасибо|я|хочу|please|больше|i want to) )+|(?: (?:пожалуйста|please|спасибо|больше|все|"
    r"совсем|никогда|вообще|thanks|any more|anymore))+$"
)

_STOP_ALONE = re.compile(r"(?:стоп|stop)(?: (?:стоп|stop|все|all))*")
_STOP = re.compile(
    r"(?:мне )?(?:не (?:пишите|пиши|писать|беспокойте|присылайте|шлите)(?: (?:больше|никогда))?(?: (?:мне|сюда))?(?: ничего)?)"
    r"|(?:перестаньте|прекратите|хватит) (?:мне )?писать(?: мне)?|отписаться|отписываюсь|отписка|отпишите(?: меня)?|отпишись"
    r"|отстаньте(?: от меня)?|уберите меня из базы|unsubscribe(?: me)?|opt out"
    r"|(?:do not|don t|dont|stop) (?:write|writing|message|messaging|text|texting|contact|contacting)(?: to)?(?: me)?"
)
_CALL_INSTEAD = re.compile(r"\b(?:по)?звон|\bнабер|\bcall\b|\bphone\b")

_VERB = r"(?:отзываю|отозвать|отзовите|отзываем|отменяю|отменить|аннулирую|забираю|прекращаю)"
_WITHDRAW = re.compile(
    rf"\b{_VERB}(?: (?:сво[её]|мо[её]|данное|ранее|все|всякое|любое|свои|мои|это|эти)){{0,3}} согласи\w+"
    rf"|\bсогласи[ея](?: \w+){{0,6}} {_VERB}\b"
    r"|\b(?:withdraw|revoke|cancel)(?: \w+){0,2} consents?\b|\bconsent(?: \w+){0,4} (?:withdrawn|revoked)\b"
    r"|\bзапрещаю (?:вам )?(?:обрабатывать|обработку|хранить|использовать)\b"
)
_NOT_MEANT = re.compile(
    r"\b(?:не|как|каким образом|зачем|если|когда|можно ли|могу ли|смогу|нельзя ли|not|how|if|when|can i|may i)"
    r"(?: \w+){0,3}$"
)
_ADVERTISING = re.compile(r"\b(?:реклам|рассыл|новост|скидк|акци|маркетинг|advertis|newsletter|news\b|promo|marketing)")
_DATA = re.compile(r"\b(?:обработк|данны|персональн|всё\b|все\b|data\b|processing\b)")
_SEND_NO = (
    r"\b(?:не (?:присылайте|присылай|шлите|пишите|отправляйте)|отпис\w+|прекратите|unsubscribe|do not send|don t send)"
)
_WANT_NO = r"\b(?:не (?:надо|нужно|нужна|нужны|хочу)|отключите|отключить|уберите|стоп|stop|no more)"
_NO_ADVERTISING = re.compile(
    rf"{_SEND_NO}(?: \w+){{0,4}}? (?:реклам|рассыл|новост|скидк|акци|advertis|newsletter|news\b|promo|discount)"
    rf"|{_WANT_NO}(?: \w+){{0,4}}? (?:реклам|рассыл|новост|advertis|newsletter|news\b|promo)"
)
_ERASE = re.compile(
    r"\b(?:удалите|удалить|сотрите|стереть|уничтожьте)(?: (?:пожалуйста|все|всё|и)){0,2}"
    r" (?:(?:мои|мою|моих|обо мне|про меня)(?: (?:личные|персональные))?(?: (?:данные|информацию|сведения|все|всё))?"
    r"|(?:личные|персональные) данные|данные обо мне)"
    r"|\b(?:delete|erase|remove)(?: \w+)? my (?:personal )?(?:data|information|details)\b"
)
_FEW_WORDS = 8


class Withdrawal(StrEnum):
    """What is withdrawn: every consent, the one to advertising alone, or everything together with a demand to erase."""

    EVERYTHING = "everything"
    ADVERTISING = "advertising"
    ERASURE = "erasure"


def find_withdrawal(words: str) -> Withdrawal | None:
    """What a client withdraws with these words, or None."""
    if not words or len(words) > MAX_LENGTH:
        return None
    whole = _plain(words)
    erase = _ERASE.search(whole)
    if erase and not _NOT_MEANT.search(whole[: erase.start()].rstrip()):
        return Withdrawal.ERASURE
    if _is_no_advertising(whole):
        return Withdrawal.ADVERTISING
    said = _WITHDRAW.search(whole)
    if said and not _NOT_MEANT.search(whole[: said.start()].rstrip()):
        is_advertising = _ADVERTISING.search(whole) and not _DATA.search(whole)
        return Withdrawal.ADVERTISING if is_advertising else Withdrawal.EVERYTHING
    return Withdrawal.EVERYTHING if _is_stop(words, whole) else None


def _is_no_advertising(whole: str) -> bool:
    """«не присылайте рекламу», «отписаться от рассылки»; not a question about discounts."""
    if len(whole.split()) > _FEW_WORDS or _DATA.search(whole):
        return False
    return bool(_NO_ADVERTISING.search(whole))


def _is_stop(words: str, whole: str) -> bool:
    bare = _bare(whole)
    if _STOP_ALONE.fullmatch(bare) or _STOP.fullmatch(bare):
        return True
    if _CALL_INSTEAD.search(whole):  # "do not write, call me": they want an answer, by another way
        return False
    clauses = [_bare(_plain(clause)) for clause in _CLAUSE.split(words)]
    return any(_STOP.fullmatch(clause) for clause in clauses if clause)


def _plain(words: str) -> str:
    return _SPACES.sub(" ", _INVISIBLE.sub("", words).casefold().replace("ё", "е")).strip()


def _bare(text: str) -> str:
    """Without the words of politeness around."""
    before = ""
    while before != text:
        before, text = text, _POLITE.sub("", text).strip()
    return text
