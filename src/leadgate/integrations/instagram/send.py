"""The sending half of Instagram: messages inside the window, the live check, the registration."""

from __future__ import annotations

import httpx

from leadgate.errors import ConfigurationError
from leadgate.integrations.instagram import standing
from leadgate.integrations.instagram.addresses import OUR_ACCOUNT, Address, address_of
from leadgate.integrations.instagram.app_webhooks import AppWebhooks
from leadgate.integrations.instagram.errors import WIRE, to_failure
from leadgate.integrations.instagram.messages import Payload, find_frame, payloads
from leadgate.integrations.instagram.settings import accounts, is_instagram_login
from leadgate.model.connections import CheckReport, OpenConnection
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Delivered, Outcome, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.ports.clock import Clock
from leadgate.wire.client import Answered
from leadgate.wire.graph import GraphApi, TokenFacts, gravest_first, is_ok
from leadgate.wire.graph_keys import ACCESS_TOKEN, APP_SECRET, VERIFY_TOKEN, api_base
from leadgate.wire.graph_webhooks import id_at
from leadgate.wire.pace import Pace, Rate

_ACCOUNT_RATE, _PERSON_RATE = Rate(per_second=300, burst=300), Rate(per_second=1, burst=10)
"""300 a second for an account (channels fact sheet); none is published for one person, this one is ours."""
_OUR_FIELDS = "user_id,username"
_PAGE_FIELDS = "id,name,instagram_business_account{id,username}"


class InstagramChannel:
    """One account; see `leadgate.ports.channel.Channel`."""

    def __init__(
        self, connection: OpenConnection, *, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Take the connection; `transport` replaces the wire in tests.

        Raises:
            ConfigurationError: the connection has no access token.
        """
        token = connection.secret(ACCESS_TOKEN)
        if token is None:
            raise ConfigurationError("This Instagram connection has no `access_token`.", hint="Set it anew.")
        self._connection = connection
        self._clock = clock
        self._accounts = accounts(connection)
        self._is_instagram_login = is_instagram_login(token)
        self._api = GraphApi(WIRE, api_base(connection), token, transport, own_hosts=connection.own_hosts)
        self._pace = Pace(clock, bot=_ACCOUNT_RATE, chat=_PERSON_RATE)

    def can_repeat(self) -> bool:
        """False: Instagram has no idempotency key, so a repeat would show the client the same words twice."""
        return False

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Send one message, in pieces when it is long; for a day after the client's last words, an employee's for seven.

        When a later piece fails, the whole is an unknown outcome: a repeat would double the first pieces.
        """
        frame = find_frame(message, now=self._clock.now())
        if frame is None:
            return Refused("instagram.window_closed")
        address = address_of(message.chat_id, self._accounts)
        outcome: Outcome = Refused("instagram.text_empty")
        for number, payload in enumerate(payloads(message, address, frame)):
            outcome = await self._send_piece(message.chat_id, address, payload)
            if not isinstance(outcome, Delivered):
                return outcome if number == 0 else OutcomeUnknown("instagram.partly_sent")
        return outcome

    async def check(self) -> CheckReport:
        """Is the token alive and for our account, does the app hear it, and does Meta post here?"""
        query = {"fields": _OUR_FIELDS if self._is_instagram_login else _PAGE_FIELDS}
        answer = await self._api.call("GET", f"/{OUR_ACCOUNT}", query=query)
        findings = standing.account_findings(answer, self._accounts)
        if not is_ok(answer):
            return gravest_first(findings)
        apps = await self._api.call("GET", f"/{OUR_ACCOUNT}/subscribed_apps")
        findings.append(standing.subscription_finding(apps, self._wanted))
        facts = await self._find_token_facts()
        findings += standing.token_findings(facts, now=self._clock.now())
        app = self._app_webhooks(facts)
        callback = None if app is None else await app.find_callback()
        findings.append(standing.address_finding(callback, connection_id=self._connection_id))
        return CheckReport(gravest_first(findings).findings, standing.learned_from(answer))

    async def register(self, webhook_url: str) -> CheckReport:
        """Subscribe the app to the account, and tell Meta our address where it can be told.

        Meta calls the address while it is being told. An app has one address for all its accounts.
        """
        verify_token = self._connection.secret(VERIFY_TOKEN)
        if verify_token is None:
            return gravest_first([standing.VERIFY_TOKEN_MISSING])
        body = {"subscribed_fields": ",".join(self._wanted)}
        subscribed = await self._api.call("POST", f"/{OUR_ACCOUNT}/subscribed_apps", json=body)
        app = self._app_webhooks(await self._find_token_facts())
        answer = None if app is None else await app.set_callback(webhook_url, verify_token)
        address = standing.ADDRESS_BY_HAND if answer is None else standing.registration_finding(answer)
        return gravest_first([standing.subscribed_finding(subscribed), address])

    async def unregister(self) -> None:
        """Stop hearing the account, and take our address away if it is still ours. Failures are ignored."""
        await self._api.call("DELETE", f"/{OUR_ACCOUNT}/subscribed_apps")
        app = self._app_webhooks(await self._find_token_facts())
        if app is not None and standing.is_ours(await app.find_callback(), self._connection_id):
            await app.remove_callback()

    async def close(self) -> None:
        """Close the connections to Meta."""
        await self._api.close()

    @property
    def _connection_id(self) -> str:
        return self._connection.connection.connection_id

    @property
    def _wanted(self) -> tuple[str, ...]:
        return standing.APP_FIELDS if self._is_instagram_login else standing.PAGE_FIELDS

    async def _find_token_facts(self) -> TokenFacts | None:
        """Only graph.facebook.com tells of a token."""
        return None if self._is_instagram_login else await self._api.find_token_facts()

    def _app_webhooks(self, facts: TokenFacts | None) -> AppWebhooks | None:
        if facts is None or facts.app_id is None:
            return None
        return AppWebhooks(self._api, facts.app_id, self._connection.secrets.get(APP_SECRET, ()))

    async def _send_piece(self, chat_id: str, address: Address, payload: Payload) -> Outcome:
        wait = await self._pace.turn(chat_id)
        if wait is not None:
            return RetryLater("instagram.paced", Scope.ITEM, after=wait)
        # A token is for one account, which Meta calls `me`; only where the settings name several the chat says which.
        account = address.account if len(self._accounts) > 1 else OUR_ACCOUNT
        answer = await self._api.call("POST", f"/{account}/messages", json=payload)
        if isinstance(answer, Answered) and is_ok(answer):
            return Delivered(id_at(answer.body, "message_id"))
        failure = to_failure(answer)
        if isinstance(failure, RetryLater) and failure.after is not None:
            self._pace.hold(failure.after)
        return failure
