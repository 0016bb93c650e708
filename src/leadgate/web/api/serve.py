"""Serves one endpoint: who is it, may they, what do they want, was it done before, and the answer."""

from __future__ import annotations

import contextlib
import hashlib
import hmac

import msgspec
from litestar import HttpMethod, Response, route
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import HTTPRouteHandler

from leadgate.app import App
from leadgate.app.kept_answers import Answer, Claim
from leadgate.errors import LeadgateError, StorageUnavailableError
from leadgate.web.access import may
from leadgate.web.api.documents.plain import plain
from leadgate.web.api.endpoint import Call, Endpoint, Nothing
from leadgate.web.api.identify import Identification
from leadgate.web.api.reading import ApiRequest, read_body, read_key, read_names, read_query
from leadgate.web.problems import is_final, problem_document, status_of

_FIRST_PROBLEM = 400


class ApiDoor:
    """Serves every endpoint of a house."""

    def __init__(self, app: App) -> None:
        """Serve this house."""
        self._app = app
        self._identification = Identification(app.tokens, clock=app.clock)

    def handler(self, endpoint: Endpoint) -> HTTPRouteHandler:
        """The route of an endpoint."""

        async def serve(request: ApiRequest) -> Response[bytes]:
            return await self._serve(endpoint, request)

        path = endpoint.path.replace("}", ":str}")
        name = f"api:{endpoint.method}:{endpoint.path}"
        return route(path, http_method=[HttpMethod(endpoint.method)], status_code=endpoint.status, name=name)(serve)

    async def _serve(self, endpoint: Endpoint, request: ApiRequest) -> Response[bytes]:
        token, text = await self._identification.recognise(request)
        if endpoint.act is not None and not may(token.role, endpoint.act):
            raise PermissionDeniedException("The role of this token may not do this.", extra={"code": "access.role"})
        if not token.covers(endpoint.area, is_write=endpoint.is_write):
            raise PermissionDeniedException("The scopes of this token leave this out.", extra={"code": "access.scope"})
        call: Call[object, object] = Call(
            self._app,
            token,
            read_query(endpoint.query, request),
            await read_body(endpoint.body, request) if endpoint.is_write else Nothing(),
            read_names(request),
        )
        key = read_key(request) if endpoint.is_write and endpoint.is_kept else None
        if key is None:
            return _response(_answer(endpoint, call, await endpoint.work(call)))
        begun = await self._app.answers.begin(_seal(text, "key", key), _fingerprint(text, endpoint, call))
        if isinstance(begun, Answer):
            return _response(begun, is_replayed=True)
        return _response(await self._work_once(endpoint, call, begun))

    async def _work_once(self, endpoint: Endpoint, call: Call[object, object], claim: Claim) -> Answer:
        """Work and keep the answer; what may go better next time is not kept, so that the same key can try again."""
        answers, has_answer = self._app.answers, False
        try:
            answer = await self._work(endpoint, call, claim)
            has_answer = True
        except LeadgateError as error:
            if not is_final(error):
                raise
            answer = Answer(status_of(error), msgspec.json.encode(problem_document(error)))
            await answers.finish(claim, answer)
            has_answer = True
        finally:
            if not has_answer:
                with contextlib.suppress(StorageUnavailableError):  # then the claim runs out by itself
                    await answers.release(claim)
        return answer

    async def _work(self, endpoint: Endpoint, call: Call[object, object], claim: Claim) -> Answer:
        if endpoint.is_one_commit:
            with self._app.answers.joined(claim, lambda result: _answer(endpoint, call, result)):
                return _answer(endpoint, call, await endpoint.work(call))
        answer = _answer(endpoint, call, await endpoint.work(call))
        await self._app.answers.finish(claim, answer)
        return answer


def _answer(endpoint: Endpoint, call: Call[object, object], result: object) -> Answer:
    return Answer(endpoint.status, msgspec.json.encode(plain(endpoint.tell(call, result))))


def _response(answer: Answer, *, is_replayed: bool = False) -> Response[bytes]:
    media_type = "application/json" if answer.status < _FIRST_PROBLEM else "application/problem+json"
    headers = {"idempotency-replayed": "true"} if is_replayed else None
    return Response(answer.body, status_code=answer.status, media_type=media_type, headers=headers)


def _fingerprint(text: str, endpoint: Endpoint, call: Call[object, object]) -> bytes:
    """The same for the same wish, however its JSON is spaced."""
    asked = msgspec.json.encode([endpoint.method, endpoint.path, dict(call.names), call.query, call.body])
    return _seal(text, "request", asked.decode())


def _seal(text: str, purpose: str, content: str) -> bytes:
    """A hash keyed with the sender's token: who steals the database cannot try phones against it, and senders share no keys."""
    return hmac.digest(text.encode(), f"{purpose}\0{content}".encode(), hashlib.sha256)
