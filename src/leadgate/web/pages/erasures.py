"""Erasures: who was erased, what the CRM answered, and the two papers of each as PDF. Ids alone."""

from __future__ import annotations

from litestar import Response, get
from litestar.params import FromPath

from leadgate.app.erasure_papers import tell_answer, tell_rows
from leadgate.catalogue.texts import load_texts
from leadgate.model.erasures import OrderState
from leadgate.web.access import PageRequest
from leadgate.web.sheet import WebPage, house_of, show, words_of

ROWS_PER_PAGE = 20
_LOOKS = {
    OrderState.NONE: ("", "ok"),
    OrderState.OPEN: ("is-warn", "wait"),
    OrderState.DONE: ("is-ok", "ok"),
    OrderState.REFUSED: ("is-bad", "bad"),
    OrderState.GIVEN_UP: ("", "x"),
}
_LONGEST_CURSOR = 9


@get("/erasures")
async def erasures(request: PageRequest) -> Response[str]:
    """The list, newest first."""
    cursor = request.query_params.get("cursor", "")
    is_known = cursor.isascii() and cursor.isdecimal() and len(cursor) <= _LONGEST_CURSOR
    before = int(cursor) if is_known else None
    found = await house_of(request).erasing.newest(limit=ROWS_PER_PAGE + 1, before=before)
    shown = found[:ROWS_PER_PAGE]
    words = load_texts("erasures", words_of(request).locale)
    return show(
        request,
        "erasures.html",
        words=words.get,
        rows=[(one, tell_rows(one, words), tell_answer(one.answer, words)) for one in shown],
        looks={state.value: look for state, look in _LOOKS.items()},
        next_cursor=str(shown[-1].number) if len(found) > len(shown) else None,
        is_later_page=before is not None,
    )


@get("/erasures/{erasure_id:str}/act.pdf")
async def act(request: PageRequest, erasure_id: FromPath[str]) -> Response[bytes]:
    """The act."""
    return _paper(await house_of(request).erasure_papers.act(erasure_id), f"act-{erasure_id}")


@get("/erasures/{erasure_id:str}/extract.pdf")
async def extract(request: PageRequest, erasure_id: FromPath[str]) -> Response[bytes]:
    """The journal's entries of it."""
    return _paper(await house_of(request).erasure_papers.extract(erasure_id), f"extract-{erasure_id}")


def _paper(content: bytes, name: str) -> Response[bytes]:
    headers = {"content-disposition": f'attachment; filename="{name}.pdf"'}
    return Response(content, media_type="application/pdf", headers=headers)


PAGE = WebPage(handlers=(erasures, act, extract))
