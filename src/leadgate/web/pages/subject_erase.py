"""The question before a person is erased: what goes, what stays, why."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.params import FromPath
from litestar.response import Redirect

from leadgate.catalogue.texts import load_texts
from leadgate.errors import ConflictError
from leadgate.model.erasures import ErasureReason
from leadgate.web.access import Act, PageRequest, allowed, fresh
from leadgate.web.forms import read_form
from leadgate.web.sheet import WebPage, address, house_of, show, words_of


@get("/subjects/{subject_id:str}/erase", guards=[allowed(Act.PRIVACY), fresh])
async def form(request: PageRequest, subject_id: FromPath[str]) -> Response[str]:
    """The question."""
    return await _show(request, subject_id)


@post("/subjects/{subject_id:str}/erase", guards=[allowed(Act.PRIVACY), fresh], status_code=303)
async def erase(request: PageRequest, subject_id: FromPath[str]) -> Response[str] | Redirect:
    """Erase the person; afterwards the list shows the act."""
    given = (await read_form(request)).get("reason", "")
    reasons = {reason.value: reason for reason in ErasureReason}
    if given not in reasons:
        return await _show(request, subject_id, status=422)
    try:
        await house_of(request).erasing.erase(subject_id, reason=reasons[given], by=request.user.staff_id)
    except ConflictError:
        return await _show(request, subject_id, status=409, is_busy=True)
    return Redirect(address("/erasures", notice="erased"), status_code=303)


async def _show(request: PageRequest, subject_id: str, *, status: int = 200, is_busy: bool = False) -> Response[str]:
    people, counts = await house_of(request).erasing.preview(subject_id)
    words = load_texts("erasures", words_of(request).locale)
    return show(
        request,
        "subject_erase.html",
        status=status,
        words=words.get,
        subject_id=subject_id,
        people=people,
        counts=counts,
        reasons=[reason.value for reason in ErasureReason],
        is_busy=is_busy,
    )


PAGE = WebPage(handlers=(form, erase))
