"""How the house treats health: a salon that asks nothing about it, or a clinic whose messages tell nothing of it."""

from __future__ import annotations

from collections.abc import Mapping

from litestar import Response, get, post
from litestar.response import Redirect

from leadgate.errors import ConfigurationError, ConflictError
from leadgate.privacy.rules import MAX_DOCUMENT_LENGTH, MAX_REASON_LENGTH, Change, HealthMode, PrivacyRules
from leadgate.web.access import Act, PageRequest, allowed, fresh
from leadgate.web.forms import read_form
from leadgate.web.pages.policies import Told, who_said
from leadgate.web.sheet import WebPage, address, house_of, show, words_of

CHANGES_SHOWN = 10

ERRORS = {
    "policy.reason_missing": ("reason", "policies.error.reason_missing"),
    "policy.reason_long": ("reason", "policies.error.reason_long"),
    "policy.reason_personal": ("reason", "policies.error.reason_personal"),
    "health.document_wrong": ("document", "health.error.document"),
    "health.document_without_clinic": ("document", "health.error.no_clinic"),
}
"""Code of a refusal -> the field that it blames, and its words."""


@get("/health-mode")
async def health_mode(request: PageRequest) -> Response[str]:
    """The mode that holds, what follows from it, and who decided."""
    rules = await house_of(request).policies.now()
    health = rules.health
    return await _show(request, rules, {"mode": health.mode.value, "document": health.document or "", "reason": ""})


@post("/health-mode", guards=[allowed(Act.PRIVACY), fresh], status_code=303)
async def change(request: PageRequest) -> Response[str] | Redirect:
    """Treat health another way."""
    given, desk = await read_form(request), house_of(request).policies
    values = {name: given.get(name, "").strip() for name in ("mode", "document", "reason")}
    mode = HealthMode.CLINIC if values["mode"] == HealthMode.CLINIC else HealthMode.NONE
    try:
        await desk.set_health(
            mode=mode, document=values["document"] or None, reason=values["reason"], by=request.user.staff_id
        )
    except ConfigurationError as error:
        if error.code not in ERRORS:
            return Redirect(address("/health-mode", notice="policy_unchanged"), status_code=303)
        return await _show(request, await desk.now(), values, error=ERRORS[error.code])
    except ConflictError:
        return Redirect(address("/health-mode", notice="policy_conflict"), status_code=303)
    return Redirect(address("/health-mode", notice="policy_changed"), status_code=303)


async def _show(
    request: PageRequest, rules: PrivacyRules, values: dict[str, str], *, error: tuple[str, str] | None = None
) -> Response[str]:
    field, wrong_words = error or ("", "")
    names = await house_of(request).policies.names()
    return show(
        request,
        "health_mode.html",
        status=422 if error else 200,
        rules=rules,
        modes=tuple(HealthMode),
        values=values,
        wrong=field,
        wrong_words=wrong_words,
        document_limit=MAX_DOCUMENT_LENGTH,
        reason_limit=MAX_REASON_LENGTH,
        changes=[_told(request, change, names) for change in reversed(rules.health_standing.changes)][:CHANGES_SHOWN],
    )


def _told(request: PageRequest, change: Change, names: Mapping[str, str]) -> Told:
    words = words_of(request)
    said = [words(f"health.mode.{word}") + "." for word in change.opened if word in set(HealthMode)]
    if "document" in (*change.opened, *change.closed):
        said.append(words("health.history.paper" if "document" in change.opened else "health.history.no_paper"))
    return Told(change.at, who_said(words, change.by, names), change.reason, " ".join(said), "")


PAGE = WebPage(handlers=(health_mode, change))
