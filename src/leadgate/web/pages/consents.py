"""Consents: what the bot asks for, the texts by version, the register and its proof. No page shows what a client wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from leadgate.catalogue.texts import LOCALES
from leadgate.errors import ConfigurationError, ConflictError, NotFoundError
from leadgate.model.consents import ConsentPurpose, ConsentText, Decision
from leadgate.web.access import Act, PageRequest, allowed, fresh
from leadgate.web.forms import read_form
from leadgate.web.sheet import MenuEntry, WebPage, address, house_of, show
from leadgate.web.states import CONSENTS

ROWS_PER_PAGE = 20
_MAX_DIGITS = 15
_ERRORS = {
    "consent.text_wrong": "consents.text.wrong",
    "consent.text_without_way_out": "consents.text.no_way_out",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCard:
    """A text as it stands, what is typed into its form, and its earlier versions.

    Attributes:
        error: key of what is wrong with the typed words, or "".
    """

    text: ConsentText
    typed: str
    error: str
    earlier: tuple[ConsentText, ...]


@get("/consents")
async def consents(request: PageRequest) -> Response[str]:
    """Switches, counts, texts and the newest lines; the address holds an id or a place in the list alone."""
    return await _page(request, {})


@post("/consents/texts/{name:str}", guards=[allowed(Act.PRIVACY)], status_code=303)
async def write_text(request: PageRequest, name: FromPath[str]) -> Response[str] | Redirect:
    """The salon's own words; what was typed stays on the page when they will not do."""
    word, _, locale = name.partition(".")
    if word not in set(ConsentPurpose) or locale not in LOCALES:
        raise NotFoundError("There is no such text.")
    words = (await read_form(request)).get("text", "").replace("\r\n", "\n")
    try:
        await house_of(request).consents.write_text(ConsentPurpose(word), locale, words, by=request.user.staff_id)
    except ConflictError:
        return _back("consent_text_same")
    except ConfigurationError as error:
        return await _page(request, {name: (words, _ERRORS.get(error.code, "consents.text.wrong"))}, status=422)
    return _back("consent_text_written")


@post("/consents/rule", guards=[allowed(Act.PRIVACY), fresh], status_code=303)
async def change_rule(request: PageRequest) -> Redirect:
    """What the bot asks for from now on."""
    form = await read_form(request)
    try:
        await house_of(request).consents.change_rule(
            asks_processing="asks" in form,
            advertises="advertises" in form,
            passes_on_to=form.get("recipient", ""),
            by=request.user.staff_id,
        )
    except ConfigurationError:
        return _back("consent_recipient_wrong")
    return _back("consent_rule_changed")


@get("/consents/proof")
async def proof(request: PageRequest) -> Response[str]:
    """Reads the whole register and proves it."""
    return show(request, "consents_proof.html", proof=await house_of(request).consents.verify())


@get("/consents/{number:str}")
async def consent(request: PageRequest, number: FromPath[str]) -> Response[str]:
    """One line with the text that was shown."""
    if not number.isdecimal() or len(number) > _MAX_DIGITS:
        raise NotFoundError("There is no such record.")
    record, text = await house_of(request).consents.record(int(number))
    return show(request, "consent.html", record=record, text=text, marks=CONSENTS)


async def _page(request: PageRequest, typed: Mapping[str, tuple[str, str]], *, status: int = 200) -> Response[str]:
    asked = request.query_params
    subject_id = asked.get("subject") or None
    desk = house_of(request).consents
    overview = await desk.overview()
    page = await desk.records(limit=ROWS_PER_PAGE, cursor=asked.get("cursor"), subject_id=subject_id)
    cards = [_card(text, overview.versions, typed) for text in overview.texts]
    return show(
        request,
        "consents.html",
        status=status,
        rule=overview.rule,
        counts={(count.purpose, count.decision): count.people for count in overview.counts},
        purposes=tuple(ConsentPurpose),
        decisions=tuple(Decision),
        cards=cards,
        waiting=overview.waiting,
        records=page.items,
        next_cursor=page.next_cursor,
        is_later_page="cursor" in asked,
        subject=subject_id or "",
        marks=CONSENTS,
    )


def _card(text: ConsentText, versions: Sequence[ConsentText], typed: Mapping[str, tuple[str, str]]) -> TextCard:
    words, error = typed.get(f"{text.purpose.value}.{text.locale}", (text.text, ""))
    earlier = tuple(
        one
        for one in versions
        if (one.purpose, one.locale) == (text.purpose, text.locale) and one.text_id != text.text_id
    )
    return TextCard(text=text, typed=words, error=error, earlier=earlier)


def _back(notice: str) -> Redirect:
    return Redirect(address("/consents", notice=notice), status_code=303)


PAGE = WebPage(
    handlers=(consents, write_text, change_rule, proof, consent),
    menu=MenuEntry(section="consents", href="/consents", icon="finger", group="privacy", order=12),
)
