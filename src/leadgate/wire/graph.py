"""Meta's Graph API as WhatsApp and Instagram share it: calls with a bearer token, errors, what a token is good for.

What an error means is each vendor's own table; its webhooks are read in `graph_webhooks`. The token travels in a header alone:
addresses are kept by proxies, by logs and by Meta itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import httpx

from leadgate.intake.untrusted import clean_text, integer_at, moment_at, object_at, text_at, value_at
from leadgate.model.connections import CheckReport, Finding, FindingState
from leadgate.model.outcomes import OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.model.secret import Secret
from leadgate.wire.client import Answered, Call, VendorClient, WireCodes

VERSION = "v25.0"
"""Of the Graph API; Meta keeps a version for about two years. An `api_base` that ends in another one wins."""

Failure = Refused | RetryLater | OutcomeUnknown
ErrorTable = Mapping[int | tuple[int, int], Failure]
"""Outcomes by code, or by code and subcode, which is asked first. The words of the answer are filled in."""

_VERSIONED = re.compile(r"/v[0-9]+\.[0-9]+$")
_NOT_PLAIN = re.compile(r"[^A-Za-z ,.:_'()-]+")
_DETAIL_LIMIT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphCodes:
    """What a vendor's adapter calls failures that are in no table; written out there, so that they are found."""

    too_many_requests: str
    unexpected_answer: str
    refused: str
    server_error: str


@dataclass(frozen=True, slots=True)
class GraphError:
    """The error object of an answer; `detail` is Meta's own words without digits and foreign letters."""

    code: int
    subcode: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class TokenFacts:
    """What Meta tells of a token.

    Attributes:
        app_id: of the app that it was made for.
        expires_at: None when it does not expire.
        scopes: permissions that it carries.
    """

    app_id: str | None
    expires_at: datetime | None
    scopes: frozenset[str]


class GraphApi:
    """The Graph API with one token."""

    def __init__(
        self,
        codes: WireCodes,
        base: str,
        token: Secret,
        transport: httpx.AsyncBaseTransport | None = None,
        *,
        own_hosts: frozenset[str] = frozenset(),
    ) -> None:
        """Open nothing yet; `transport` replaces the wire in tests, `own_hosts` as in `VendorClient`."""
        self._token = token
        base = base.rstrip("/")
        versioned = base if _VERSIONED.search(base) else f"{base}/{VERSION}"
        self._client = VendorClient(
            codes, versioned, headers=_bearer(token.reveal()), transport=transport, own_hosts=own_hosts
        )

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: Mapping[str, object] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Call:
        """Call one method; see `VendorClient.call`."""
        return await self._client.call(method, path, json=json, query=query)

    async def call_as_app(
        self, method: str, path: str, *, app_id: str, app_secret: Secret, json: Mapping[str, object] | None = None
    ) -> Call:
        """Call a method of the app itself, whose token is made of its id and its secret."""
        return await self._client.call(method, path, json=json, headers=_bearer(f"{app_id}|{app_secret.reveal()}"))

    async def find_token_facts(self) -> TokenFacts | None:
        """What Meta tells of our token; None when it does not tell.

        `debug_token` wants the token as a parameter; as POST with `method=get`, which the Graph API takes for any reading call
        (so Meta's own PHP SDK did it), it stands in the body instead of the address.
        """
        form = {"method": "get", "input_token": self._token.reveal()}
        answer = await self._client.call("POST", "/debug_token", form=form)
        data = object_at(answer.body, "data") if is_ok(answer) and isinstance(answer, Answered) else None
        if data is None:
            return None
        scopes = value_at(data, "scopes")
        names = scopes if isinstance(scopes, list) else []
        return TokenFacts(
            app_id=text_at(data, "app_id"),
            expires_at=moment_at(data, "expires_at"),
            scopes=frozenset(name for name in names if isinstance(name, str)),
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def is_ok(answer: Call) -> bool:
    """The call was carried out."""
    return isinstance(answer, Answered) and answer.is_success and find_error(answer) is None


def find_error(answer: Answered) -> GraphError | None:
    """The error object, or None when there is none."""
    error = object_at(answer.body, "error")
    code = integer_at(error, "code")
    if error is None or code is None:
        return None
    words = text_at(error, "error_data", "details") or text_at(error, "message") or ""
    return GraphError(code, integer_at(error, "error_subcode"), plain_detail(words))


def to_failure(answer: Call, table: ErrorTable, codes: GraphCodes) -> Failure:
    """What a call that failed means, decided by code and subcode, never by titles.

    An error that is in no table is a refusal when its status is 4xx, else nobody knows. A redirect, or a refusal without an error
    object, is not from Meta: something answers in its place.
    """
    if not isinstance(answer, Answered):
        return answer
    error = find_error(answer)
    known = None if error is None else table.get((error.code, error.subcode or 0)) or table.get(error.code)
    if error is not None and known is not None:
        return _filled(known, answer, f"{error.code}: {error.detail}")
    if answer.status == httpx.codes.TOO_MANY_REQUESTS:
        return RetryLater(codes.too_many_requests, Scope.TARGET, after=answer.retry_after)
    if httpx.codes.is_server_error(answer.status) or httpx.codes.is_success(answer.status):
        return OutcomeUnknown(codes.server_error)
    if error is None:
        return RetryLater(codes.unexpected_answer, Scope.TARGET, needs_person=True)
    return Refused(codes.refused, f"{error.code}: {error.detail}")


def gravest_first(findings: Iterable[Finding]) -> CheckReport:
    """The findings of a check, each once."""
    order = (FindingState.FAIL, FindingState.WARN, FindingState.OK)
    return CheckReport(tuple(sorted(dict.fromkeys(findings), key=lambda finding: order.index(finding.state))))


def plain_detail(words: str) -> str:
    """Meta's words without digits and foreign letters, so that no id, name or phone is in them."""
    return _NOT_PLAIN.sub("*", clean_text(words, limit=4 * _DETAIL_LIMIT))[:_DETAIL_LIMIT]


def _filled(known: Failure, answer: Answered, detail: str) -> Failure:
    match known:
        case RetryLater():
            return replace(known, detail=detail, after=answer.retry_after or known.after)
        case Refused():
            return replace(known, detail=detail)
        case _:
            return known


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
