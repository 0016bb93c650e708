"""Who sent a request: a bearer token in the header, and nothing else. A cookie opens nothing here, so no page can write for us."""

from __future__ import annotations

import ipaddress

from litestar.exceptions import NotAuthorizedException, TooManyRequestsException

from leadgate.errors import AccessDeniedError
from leadgate.model.staff import ApiToken
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock
from leadgate.staff.tokens import ApiTokens
from leadgate.web.api.reading import ApiRequest
from leadgate.web.site_pace import VisitPace

_IPV6_NETWORK = 64
_log = get_logger("api")


class Identification:
    """Recognises tokens and slows down whoever sends wrong ones.

    A right token passes however many wrong ones came from its address: a secret of 256 bits is not guessed, and behind a proxy all
    programs share one address, of which a stranger could otherwise lock them out.
    """

    def __init__(self, tokens: ApiTokens, *, clock: Clock) -> None:
        """Allow ten wrong tokens at once from an address, and one more every ten seconds."""
        self._tokens = tokens
        self._clock = clock
        self._pace = VisitPace(burst=10, per_s=0.1)

    async def recognise(self, request: ApiRequest) -> tuple[ApiToken, str]:
        """The token and its text.

        Raises:
            NotAuthorizedException: there is none, or it is wrong or over.
            TooManyRequestsException: it is wrong, after too many wrong ones.
        """
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not text.strip():
            raise NotAuthorizedException(
                "Send a token: Authorization: Bearer TOKEN.",
                headers={"www-authenticate": 'Bearer realm="leadgate"'},
                extra={"code": "access.token_missing"},
            )
        try:
            return await self._tokens.recognise(text.strip()), text.strip()
        except AccessDeniedError as error:
            self._slow_down(request)
            _log.warning("token.refused", outcome="refused", error_code=error.code)
            raise NotAuthorizedException(
                str(error),
                headers={"www-authenticate": 'Bearer realm="leadgate", error="invalid_token"'},
                extra={"code": error.code},
            ) from None

    def _slow_down(self, request: ApiRequest) -> None:
        wait_s = self._pace.wait_s(network_of(request), monotonic_s=self._clock.monotonic_s())
        if wait_s:
            raise TooManyRequestsException(
                "Too many wrong tokens.",
                headers={"retry-after": str(wait_s)},
                extra={"code": "access.slow_down"},
            )


def network_of(request: ApiRequest) -> str:
    """The sender's address; of IPv6 the network, for whoever has one address there has them all."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:  # noqa: PLR2004 - the version's name
        return host
    return str(ipaddress.ip_network((address, _IPV6_NETWORK), strict=False))
