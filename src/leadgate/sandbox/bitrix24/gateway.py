"""The portal's gate: lets a request in, finds out who calls, runs one method or a batch, frames the answer.

It knows neither HTTP nor faults; `rest.py` brings requests here and decides what becomes of the answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from leadgate.sandbox.bitrix24 import system
from leadgate.sandbox.bitrix24.arguments import Params, find, text
from leadgate.sandbox.bitrix24.batch import run_batch
from leadgate.sandbox.bitrix24.call import Call
from leadgate.sandbox.bitrix24.clock import SandboxClock
from leadgate.sandbox.bitrix24.envelope import Reply, RestError, Usage, bad_argument, stamp, success
from leadgate.sandbox.bitrix24.limits import Limits, Meter
from leadgate.sandbox.bitrix24.methods import METHODS, reaches
from leadgate.sandbox.bitrix24.portal import Caller, Portal
from leadgate.sandbox.bitrix24.records import Context


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it came: whose address, which credentials, which method.

    `user_id` and `secret` None: no webhook in the address, the token is looked for in the parameter `auth`.
    """

    source: str
    method: str
    params: Params
    user_id: int | None = None
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and the JSON object under it.

    Attributes:
        late_s: how long a slow portal takes for it; 0.0 on one that answers at once.
    """

    status: int
    body: Mapping[str, object]
    late_s: float = 0.0


class Gateway:
    """Answers requests for one portal."""

    def __init__(self, portal: Portal, limits: Limits, clock: SandboxClock) -> None:
        self.portal = portal
        self.meter = Meter(limits)
        self._clock = clock

    def answer(self, request: Request) -> Answer:
        """Runs the request and answers it at once, without waiting; refusals are answers too."""
        start, worked_s = self._clock.now(), self.meter.worked_s
        try:
            self.meter.let_in(request.source, start.timestamp())
            reply, usage = self._run(request)
        except RestError as refusal:
            return self.refuse(refusal)
        time = stamp(start, self._clock.now(), zone=self.portal.zone, usage=usage)
        late_s = self.meter.worked_s - worked_s if self.meter.limits.is_slow else 0.0
        return Answer(HTTPStatus.OK, success(reply, time), late_s)

    def refuse(self, refusal: RestError) -> Answer:
        """Counts a refusal and frames it."""
        self.portal.counters.refused[refusal.code or refusal.description] += 1
        return Answer(refusal.status, refusal.body())

    def _run(self, request: Request) -> tuple[Reply, Usage | None]:
        if not self.portal.has_rest:
            raise plan_has_no_rest()
        caller = self._authenticate(request)
        if request.method == "batch":
            return run_batch(request.params, lambda method, params: self._timed(method, params, caller)), None
        return self._run_method(request.method, request.params, caller)

    def _authenticate(self, request: Request) -> Caller:
        if request.secret is not None and request.user_id is not None:
            caller = self.portal.webhooks.get((request.user_id, request.secret))
            if caller is None:
                raise wrong_credentials(self.portal.refusal_of_wrong_secret)
            return caller
        token = self.portal.tokens.get(text(find(request.params, "auth")))
        if token is None:
            raise wrong_credentials("NO_AUTH_FOUND")
        if token.expires_at is not None and token.expires_at <= self._clock.now():
            words = "The access token provided has expired."
            raise RestError(HTTPStatus.UNAUTHORIZED, "expired_token", words)
        return token

    def _timed(self, method: str, params: Params, caller: Caller) -> tuple[Reply, dict[str, object]]:
        start = self._clock.now()
        reply, usage = self._run_method(method, params, caller)
        return reply, stamp(start, self._clock.now(), zone=self.portal.zone, usage=usage)

    def _run_method(self, method: str, params: Params, caller: Caller) -> tuple[Reply, Usage]:
        now = self._clock.now()
        handler = METHODS.get(method)
        if handler is None:
            raise RestError(HTTPStatus.NOT_FOUND, "ERROR_METHOD_NOT_FOUND", "Method not found!")
        call = Call(Context(self.portal, caller, now), params)
        if not reaches(call, method):
            raise system.insufficient_scope()
        if method in self.portal.denied:
            raise bad_argument("ACCESS_DENIED", "Access denied.")
        self.meter.require_time(method, caller.key, now.timestamp())
        try:
            return handler(call), self.meter.spend(method, caller.key, now.timestamp())
        except RestError:
            self.meter.spend(method, caller.key, now.timestamp())
            raise


def plan_has_no_rest() -> RestError:
    """The refusal of a portal whose plan has no REST."""
    return RestError(HTTPStatus.FORBIDDEN, "ACCESS_DENIED", "REST API is available only on commercial plans")


def wrong_credentials(code: str) -> RestError:
    """The refusal for a wrong webhook secret or token, under either of the two codes."""
    words = {"INVALID_CREDENTIALS": "Invalid request credentials"}.get(code, "Wrong authorization data")
    return RestError(HTTPStatus.UNAUTHORIZED, code, words)
