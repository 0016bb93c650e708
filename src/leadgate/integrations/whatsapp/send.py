"""The sending half of WhatsApp: messages inside and outside the 24-hour window, the live check, the registration."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import httpx

from leadgate.errors import ConfigurationError
from leadgate.intake.untrusted import text_at
from leadgate.integrations.whatsapp import standing
from leadgate.integrations.whatsapp.addresses import Address, find_address
from leadgate.integrations.whatsapp.errors import WIRE, to_failure
from leadgate.integrations.whatsapp.messages import Payload, free_payloads, template_payload
from leadgate.integrations.whatsapp.settings import WABA_ID, numbers, templates
from leadgate.model.connections import CheckReport, Finding, FindingState, OpenConnection
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Delivered, Outcome, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.ports.clock import Clock
from leadgate.wire.client import Answered, Call
from leadgate.wire.graph import GraphApi, gravest_first, is_ok
from leadgate.wire.graph_keys import ACCESS_TOKEN, VERIFY_TOKEN, api_base
from leadgate.wire.graph_webhooks import ID_LIMIT, id_at, objects_in
from leadgate.wire.pace import Pace, Rate

WINDOW = timedelta(hours=24)
"""How long after the client's last message anything may be said to them."""

_NUMBER_RATE, _PERSON_RATE = Rate(per_second=80, burst=80), Rate(per_second=1 / 6, burst=8)
"""80 a second for a number and one in 6 seconds to one person, with short bursts (channels fact sheet)."""

_NUMBER_FIELDS = "id,display_phone_number,quality_rating,status,webhook_configuration"
_TEMPLATE_FIELDS = "name,language,status"


class WhatsAppChannel:
    """The salon's numbers; see `leadgate.ports.channel.Channel`."""

    def __init__(
        self, connection: OpenConnection, *, clock: Clock, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        """Take the connection; `transport` replaces the wire in tests.

        Raises:
            ConfigurationError: the connection has no access token.
        """
        token = connection.secret(ACCESS_TOKEN)
        if token is None:
            raise ConfigurationError("This WhatsApp connection has no `access_token`.", hint="Set it anew.")
        self._connection = connection
        self._clock = clock
        self._numbers = numbers(connection)
        self._waba_id = connection.settings.get(WABA_ID) or None
        self._templates = templates(connection)
        self._api = GraphApi(WIRE, api_base(connection), token, transport, own_hosts=connection.own_hosts)
        self._pace = Pace(clock, bot=_NUMBER_RATE, chat=_PERSON_RATE)

    def can_repeat(self) -> bool:
        """False: the Cloud API has no idempotency key, so a repeat would show the client the same words twice."""
        return False

    async def send(self, message: OutgoingMessage) -> Outcome:
        """Send one message, in pieces when it is long; outside the 24-hour window the template that the settings name for it.

        When a later piece fails, the whole is an unknown outcome: a repeat would double the first pieces.
        """
        address = find_address(message.chat_id, self._numbers)
        if address is None:
            return RetryLater("whatsapp.number_not_set", Scope.TARGET, needs_person=True)
        payloads = self._payloads(message, address)
        if isinstance(payloads, Refused):
            return payloads
        outcome: Outcome = Refused("whatsapp.text_empty")
        for number, payload in enumerate(payloads):
            outcome = await self._send_piece(message.chat_id, address, payload)
            if not isinstance(outcome, Delivered):
                return outcome if number == 0 else OutcomeUnknown("whatsapp.partly_sent")
        return outcome

    async def check(self) -> CheckReport:
        """Is the token alive, does Meta post here what comes to our numbers, and are the templates approved?"""
        if not self._numbers and self._waba_id is None:
            return gravest_first([standing.NUMBER_NOT_SET])
        connection_id = self._connection.connection.connection_id
        known = await self._known_numbers()
        if not isinstance(known, tuple):
            return gravest_first([standing.failed_finding(known)])
        findings: list[Finding] = []
        learned: Mapping[str, str] = {}
        for number in known:
            answer = await self._ask_number(number)
            learned = learned or standing.learned_from(answer)
            findings += standing.number_findings(answer, connection_id=connection_id)
            if not is_ok(answer):
                return gravest_first(findings)
        facts = await self._api.find_token_facts()
        findings += [standing.TOKEN_GOOD, *standing.token_findings(facts, now=self._clock.now())]
        findings += await self._account_findings(None if facts is None else facts.app_id)
        return CheckReport(gravest_first(findings).findings, learned)

    async def register(self, webhook_url: str) -> CheckReport:
        """Tell Meta our address for our numbers, and that our app wants to hear the account.

        Meta calls the address while it is being told. With numbers in the settings only theirs is set, so that other numbers of the
        account keep posting where they do; the account's own is set where no number is named.
        """
        verify_token = self._connection.secret(VERIFY_TOKEN)
        if verify_token is None:
            return gravest_first([standing.VERIFY_TOKEN_MISSING])
        if not self._numbers and self._waba_id is None:
            return gravest_first([standing.NUMBER_NOT_SET])
        target = {"override_callback_uri": webhook_url, "verify_token": verify_token.reveal()}
        findings = [] if self._numbers else [await self._subscribe(target)]
        for number in self._numbers:
            answer = await self._api.call("POST", f"/{number}", json={"webhook_configuration": target})
            findings.append(standing.registration_finding(answer))
        if self._numbers and self._waba_id is not None and not await self._is_subscribed():
            findings.append(await self._subscribe({}))
        return gravest_first(findings)

    async def unregister(self) -> None:
        """Take our address away; Meta posts to the app's own again. The subscription stays: others may live by it."""
        if not self._numbers and self._waba_id is not None:
            await self._api.call("POST", f"/{self._waba_id}/subscribed_apps", json={})
        for number in self._numbers:
            await self._api.call("POST", f"/{number}", json={"webhook_configuration": {"override_callback_uri": ""}})

    async def close(self) -> None:
        """Close the connections to Meta."""
        await self._api.close()

    def _payloads(self, message: OutgoingMessage, address: Address) -> list[Payload] | Refused:
        if message.heard_at is not None and self._clock.now() - message.heard_at < WINDOW:
            return free_payloads(message, address)
        template = self._templates.get(message.template or "")
        return Refused("whatsapp.window_closed") if template is None else [template_payload(message, address, template)]

    async def _send_piece(self, chat_id: str, address: Address, payload: Payload) -> Outcome:
        wait = await self._pace.turn(chat_id)
        if wait is not None:
            return RetryLater("whatsapp.paced", Scope.ITEM, after=wait)
        answer = await self._api.call("POST", f"/{address.number}/messages", json=payload)
        if isinstance(answer, Answered) and is_ok(answer):
            sent = objects_in(answer.body.get("messages"))
            return Delivered(id_at(sent[0], "id") if sent else None)
        failure = to_failure(answer)
        if isinstance(failure, RetryLater) and failure.scope is Scope.TARGET and failure.after is not None:
            self._pace.hold(failure.after)
        return failure

    async def _known_numbers(self) -> tuple[str, ...] | Call:
        """The numbers of the settings, else all of the account; the answer itself when Meta does not tell."""
        if self._numbers:
            return self._numbers
        answer = await self._api.call("GET", f"/{self._waba_id}/phone_numbers", query={"fields": "id"})
        if not isinstance(answer, Answered) or not is_ok(answer):
            return answer
        found = (text_at(number, "id", limit=ID_LIMIT) for number in objects_in(answer.body.get("data")))
        return tuple(number for number in found if number is not None)

    async def _ask_number(self, number: str) -> Call:
        return await self._api.call("GET", f"/{number}", query={"fields": _NUMBER_FIELDS})

    async def _account_findings(self, app_id: str | None) -> list[Finding]:
        if self._waba_id is None:
            return [standing.ACCOUNT_NOT_SET]
        apps = await self._api.call("GET", f"/{self._waba_id}/subscribed_apps")
        findings = [standing.subscription_finding(apps, app_id)]
        if self._templates:
            query = {"fields": _TEMPLATE_FIELDS, "limit": "500"}
            answer = await self._api.call("GET", f"/{self._waba_id}/message_templates", query=query)
            findings += standing.template_findings(answer, self._templates.values())
        return findings

    async def _is_subscribed(self) -> bool:
        facts = await self._api.find_token_facts()
        apps = await self._api.call("GET", f"/{self._waba_id}/subscribed_apps")
        return standing.is_subscribed(apps, None if facts is None else facts.app_id)

    async def _subscribe(self, target: dict[str, str]) -> Finding:
        """Our app hears the account from now on. Without a target an address of the account goes away: ask first."""
        answer = await self._api.call("POST", f"/{self._waba_id}/subscribed_apps", json=target)
        if target or not is_ok(answer):
            return standing.registration_finding(answer)
        return Finding("whatsapp.subscribed", FindingState.OK, "The app hears this WhatsApp account.")
