"""The app's own subscription at Meta, where the callback address of Instagram stands: there is one for all accounts of an app."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leadgate.integrations.instagram import standing
from leadgate.model.secret import Secret
from leadgate.wire.client import Answered, Call
from leadgate.wire.graph import GraphApi, find_error

_TOKEN_ERRORS = frozenset({101, 190})
"""Not a secret of this app: an app of both logins has an Instagram secret too, which proves webhooks alone."""


class AppWebhooks:
    """The subscription of one app, asked with whichever live app secret Meta takes."""

    def __init__(self, api: GraphApi, app_id: str, app_secrets: Sequence[Secret]) -> None:
        """Take the app's id, as Meta tells it of the token."""
        self._api = api
        self._app_id = app_id
        self._app_secrets = app_secrets

    async def find_callback(self) -> str | None:
        """See `standing.find_callback`."""
        answer = await self._call("GET")
        return None if answer is None else standing.find_callback(answer)

    async def set_callback(self, url: str, verify_token: Secret) -> Call | None:
        """Tell Meta the address and what we want to hear; None when no secret of ours is the app's own."""
        body = {
            "object": standing.OBJECT,
            "callback_url": url,
            "verify_token": verify_token.reveal(),
            "fields": ",".join(standing.APP_FIELDS),
        }
        return await self._call("POST", body)

    async def remove_callback(self) -> None:
        """Take the address away."""
        await self._call("DELETE", {"object": standing.OBJECT})

    async def _call(self, method: str, body: Mapping[str, object] | None = None) -> Call | None:
        for app_secret in self._app_secrets:
            answer = await self._api.call_as_app(
                method, f"/{self._app_id}/subscriptions", app_id=self._app_id, app_secret=app_secret, json=body
            )
            error = find_error(answer) if isinstance(answer, Answered) else None
            if error is None or error.code not in _TOKEN_ERRORS:
                return answer
        return None
