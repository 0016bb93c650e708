"""Connecting a vendor: the kinds, a form made from the manifest, and the result that shows a made secret once."""

from __future__ import annotations

from collections.abc import Mapping

from litestar import Response, get, post
from litestar.params import FromPath

from leadgate.errors import ConfigurationError, ConflictError, NotFoundError, ServiceUnavailableError
from leadgate.model.secret import Secret
from leadgate.ports.integration import Field, Manifest
from leadgate.web.access import Act, PageRequest, allowed, fresh
from leadgate.web.findings import teller
from leadgate.web.forms import read_form
from leadgate.web.pages.connection import own_address
from leadgate.web.sheet import WebPage, house_of, show, words_of
from leadgate.web.states import FINDINGS
from leadgate.web.vendors import title_of, vendor_of, vendors_of

_PREFIX = "key-"
"""Before the names of the manifest's keys, so that none meets `name`, `check` or `csrf`."""

_BY_CODE = {
    "connection.name_taken": ("name", "connect.error.name_taken"),
    "connection.name_wrong": ("name", "connect.error.name_wrong"),
    "connection.public_url_missing": ("", "connect.error.public_url"),
    "connection.refused": ("", "connect.error.refused"),
}
"""Code of a refusal -> field ("" for the whole form) and words."""

_FOREIGN = {
    "recipient.undecided": "connect.error.foreign",
    "recipient.reason_missing": "connect.error.foreign",
    "recipient.country_wrong": "connect.error.country",
    "recipient.country_known": "connect.error.country",
    "recipient.refused": "connect.error.foreign_refused",
}
"""Codes by which a foreign host is refused: the form then shows one more step."""

_OWN_NETWORK = {
    "connection.own_network": "connect.error.own_network",
    "connection.own_network_reason": "connect.error.own_network",
}
"""Likewise for a host of the salon's own network."""


@get("/connections/new", guards=[allowed(Act.CONNECT)])
async def choose(request: PageRequest) -> Response[str]:
    """Every kind that can be connected."""
    return show(request, "connect_choose.html", vendors=vendors_of(request))


@get("/connections/new/{kind:str}", guards=[allowed(Act.CONNECT), fresh])
async def ask(request: PageRequest, kind: FromPath[str]) -> Response[str]:
    """The form of a kind."""
    return _form(request, _get_manifest(request, kind), {}, {})


@post("/connections/new/{kind:str}", guards=[allowed(Act.CONNECT), fresh], status_code=200)
async def connect(request: PageRequest, kind: FromPath[str]) -> Response[str]:
    """Connect, or show the form again with what is wrong; secrets are never shown back."""
    manifest, form = _get_manifest(request, kind), await read_form(request)
    errors = find_problems(manifest, form)
    if errors:
        return _form(request, manifest, form, errors)
    given = {field: form.get(_PREFIX + field.name, "").strip() for field in manifest.fields}
    try:
        connected = await house_of(request).connections.connect(
            kind,
            name=form["name"].strip(),
            settings={field.name: value for field, value in given.items() if value and not field.secret},
            secrets={field.name: Secret(value) for field, value in given.items() if value and field.secret},
            check="check" in form,
            by=request.user.staff_id,
            foreign_reason=form.get("foreign_reason"),
            host_country=form.get("host_country"),
            own_network_reason=form.get("own_network_reason"),
        )
    except (ConfigurationError, ConflictError) as error:
        if error.code in _OWN_NETWORK:
            return _form(request, manifest, form, {"own_network_reason": _OWN_NETWORK[error.code]}, said=str(error))
        if error.code in _FOREIGN:
            return _form(request, manifest, form, {"foreign_reason": _FOREIGN[error.code]}, said=str(error))
        field_name, word = _BY_CODE.get(error.code, ("", "connect.error.other"))
        return _form(request, manifest, form, {field_name: word}, said=f"{error} {error.hint}".strip())
    except ServiceUnavailableError:
        return _form(request, manifest, form, {"": "connect.error.unreachable"})
    return show(
        request,
        "connected.html",
        vendor=vendor_of(manifest, words_of(request).locale),
        connected=connected,
        webhook_url=own_address(request, connected.webhook_path),
        own_address=own_address(request),
        finding_marks=FINDINGS,
        tell_finding=teller(words_of(request)),
    )


def find_problems(manifest: Manifest, form: Mapping[str, str]) -> dict[str, str]:
    """Words by field for what can be seen without asking anybody."""
    problems = {} if form.get("name", "").strip() else {"name": "connect.error.name_wrong"}
    for field in manifest.fields:
        word = _problem_of(field, form.get(_PREFIX + field.name, "").strip())
        if word:
            problems[field.name] = word
    return problems


def _problem_of(field: Field, value: str) -> str | None:
    if not value:
        return "connect.error.missing" if field.required and field.make is None else None
    return "connect.error.value" if field.problem is not None and field.problem(value) else None


def _form(
    request: PageRequest, manifest: Manifest, form: Mapping[str, str], errors: Mapping[str, str], *, said: str = ""
) -> Response[str]:
    locale = words_of(request).locale
    return show(
        request,
        "connect.html",
        status=422 if errors else 200,
        manifest=manifest,
        title=title_of(manifest, locale),
        fields=[
            {
                "name": field.name,
                "input": _PREFIX + field.name,
                "label": field.label_en if locale == "en" else field.label_ru,
                "help": field.help_en if locale == "en" else field.help_ru,
                "is_secret": field.secret,
                "is_required": field.required and field.make is None,
                "is_made": field.make is not None,
                "value": "" if field.secret else form.get(_PREFIX + field.name, field.default),
            }
            for field in manifest.fields
        ],
        name=form.get("name", title_of(manifest, locale)),
        has_check=not form or "check" in form,
        is_foreign="foreign_reason" in errors or "foreign_reason" in form,
        is_own_network="own_network_reason" in errors or "own_network_reason" in form,
        own_network_reason=form.get("own_network_reason", ""),
        foreign_reason=form.get("foreign_reason", ""),
        host_country=form.get("host_country", ""),
        errors=dict(errors),
        said=said,
    )


def _get_manifest(request: PageRequest, kind: str) -> Manifest:
    for manifest in house_of(request).connections.kinds():
        if manifest.kind == kind:
            return manifest
    raise NotFoundError("There is no such kind of connection.")


PAGE = WebPage(handlers=(choose, ask, connect))
