"""The rules of sending that every messenger keeps, whatever its vendor: inherit, name the parts, and the tests come along.

The vendor is a double on a real socket (`vendor_server`), so time-outs, cut connections and broken answers are true ones.
"""
# ruff: noqa: S101 - a conformance suite speaks in asserts

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar

import pytest

from leadgate.model.connections import FindingState, OpenConnection
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Delivered, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.ports.channel import Channel
from leadgate.ports.integration import Integration, Surroundings
from leadgate.testing.connections import NOW, CountedIds, FixedClock, open_connection
from leadgate.testing.vendor_server import Fault, Reply, VendorServer
from leadgate.wire import client


class SenderSuite(ABC):
    """The rules of sending.

    Attributes:
        integration: under test.
        secrets: of the connection; `settings` besides `api_base`.
        chat_id: a client's chat.
        piece_limit: longest text of one message, counted by `size`.
        names_wait: the vendor's answer to too many requests tells how long to wait.
        tells_webhook: the vendor can be asked where it posts.
        calls_before_send: calls that a fresh sender makes before its first message (a token to fetch, an account to ask for).
    """

    integration: ClassVar[Integration]
    secrets: ClassVar[Mapping[str, str]]
    settings: ClassVar[Mapping[str, str]] = {}
    chat_id: ClassVar[str]
    piece_limit: ClassVar[int]
    names_wait: ClassVar[bool] = False
    tells_webhook: ClassVar[bool] = True
    calls_before_send: ClassVar[int] = 0

    @abstractmethod
    def double(self) -> VendorServer:
        """The vendor, not listening yet."""

    @staticmethod
    def size(text: str) -> int:
        """Length of a text as the vendor counts it."""
        return len(text)

    def message(self, text: str = "Здравствуйте! Как вас зовут?", **changed: Any) -> OutgoingMessage:  # noqa: ANN401 - fields of a message
        """An answer to a client who wrote a minute ago."""
        base = OutgoingMessage(
            message_id="evt_1-1", chat_id=self.chat_id, text=text, heard_at=NOW - timedelta(minutes=1)
        )
        return replace(base, **changed)

    def connection(self, base: str) -> OpenConnection:
        """The connection to a vendor at this address."""
        return open_connection(
            self.integration.manifest.kind, secrets=self.secrets, settings={**self.settings, "api_base": base}
        )

    @asynccontextmanager
    async def opened(self, base: str) -> AsyncIterator[Channel]:
        """The sender of a connection to this address."""
        assert self.integration.open_channel is not None
        surroundings = Surroundings(clock=FixedClock(), ids=CountedIds())
        channel = self.integration.open_channel(self.connection(base), surroundings)
        try:
            yield channel
        finally:
            await channel.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[tuple[VendorServer, Channel]]:
        """The vendor and our sender."""
        async with self.double() as vendor, self.opened(vendor.base) as channel:
            yield vendor, channel

    @property
    def address(self) -> str:
        """Where the vendor shall post."""
        connection = self.connection("http://127.0.0.1:1").connection
        return f"https://salon.example/webhooks/{connection.kind}/{connection.connection_id}"

    @property
    def registered_address(self) -> str:
        """The address as the vendor keeps it; another than `address` where the secret stands in it."""
        return self.address

    def strike(self, vendor: VendorServer, fault: Fault | Reply) -> None:
        """Let the fault hit the first message of a fresh sender, not a call before it."""
        vendor.faults.extend([*[None] * self.calls_before_send, fault])

    # -- messages

    async def test_a_message_reaches_the_client(self) -> None:
        """The outcome carries the vendor's id of the message, so that its statuses find it."""
        async with self.running() as (vendor, channel):
            outcome = await channel.send(self.message())
            assert isinstance(outcome, Delivered)
            assert outcome.external_id
            assert [(said.chat_id, said.text) for said in vendor.said] == [(self.chat_id, self.message().text)]

    async def test_a_long_text_arrives_whole(self) -> None:
        """In pieces that the vendor takes, cut between words, nothing lost and nothing twice."""
        words = "Ёлка и 👩‍👩‍👧 ждут вас. "
        text = (words * (3 * self.piece_limit // len(words)))[: 5 * self.piece_limit // 2].strip()
        async with self.running() as (vendor, channel):
            assert isinstance(await channel.send(self.message(text)), Delivered)
            pieces = [said.text for said in vendor.said]
            assert len(pieces) > 1
            assert max(self.size(piece) for piece in pieces) <= self.piece_limit
            assert " ".join("".join(pieces).split()) == " ".join(text.split())

    async def test_quick_answers_can_be_pressed(self) -> None:
        """The client taps instead of typing."""
        titles = ("Стрижка", "Маникюр")
        async with self.running() as (vendor, channel):
            assert isinstance(await channel.send(self.message(buttons=titles)), Delivered)
            shown = vendor.said[-1]
            assert shown.buttons == titles or all(title in shown.text for title in titles)

    async def test_many_quick_answers_are_all_offered(self) -> None:
        """What does not fit on buttons becomes a list or stands in the text; no choice is hidden."""
        titles = tuple(f"Услуга {number}" for number in range(1, 16))
        async with self.running() as (vendor, channel):
            assert isinstance(await channel.send(self.message(buttons=titles)), Delivered)
            offered = [title for said in vendor.said for title in said.buttons]
            texts = " ".join(said.text for said in vendor.said)
            assert [title for title in titles if title not in offered and title not in texts] == []

    @pytest.mark.parametrize("text", ["", "  \n", "\u200b"])
    async def test_nothing_to_say_is_refused_here(self, text: str) -> None:
        """Vendors refuse an empty message; a repeat would never help."""
        async with self.running() as (vendor, channel):
            outcome = await channel.send(self.message(text))
            assert isinstance(outcome, Refused) or vendor.said

    async def test_text_that_cannot_be_sent_is_cleaned(self) -> None:
        """Half a character or U+0000 must not stop a conversation for ever."""
        async with self.running() as (vendor, channel):
            assert isinstance(await channel.send(self.message("Да\x00 нет \ud83d")), Delivered)
            assert "Да" in vendor.said[0].text

    # -- what the vendor refuses

    async def test_a_client_who_blocked_us_is_left_alone(self) -> None:
        """The outcome says so, and nothing more is sent until they write again."""
        async with self.running() as (vendor, channel):
            vendor.blocked.add(self.chat_id)
            outcome = await channel.send(self.message())
            assert isinstance(outcome, Refused)
            assert outcome.unreachable
            assert vendor.said == []

    async def test_too_many_requests_wait_as_long_as_the_vendor_says(self) -> None:
        """Pressing on would get the bot closed; the limit is the bot's, so other chats wait too."""
        async with self.running() as (vendor, channel):
            self.strike(vendor, vendor.limited(7))
            outcome = await channel.send(self.message())
            assert isinstance(outcome, RetryLater)
            assert not outcome.needs_person
            if self.names_wait:
                assert outcome.after is not None
                assert outcome.after >= timedelta(seconds=7)
                asked = len(vendor.requests)
                assert isinstance(await channel.send(self.message(message_id="evt_2-1")), RetryLater)
                assert len(vendor.requests) == asked

    async def test_a_dead_token_stops_the_lane_until_somebody_comes(self) -> None:
        """Nothing is wrong with the message, and time alone cures nothing."""
        async with self.running() as (vendor, channel):
            vendor.kill_token()
            outcome = await channel.send(self.message())
            assert isinstance(outcome, RetryLater)
            assert outcome.needs_person
            assert outcome.scope is Scope.TARGET

    # -- what goes wrong on the way

    async def test_a_vendor_that_cannot_be_reached_is_tried_again(self) -> None:
        """Nothing left the house, so nothing can double."""
        async with self.double() as vendor:
            base = vendor.base
        async with self.opened(base) as channel:
            outcome = await channel.send(self.message())
            assert isinstance(outcome, RetryLater)
            assert outcome.scope is Scope.TARGET

    @pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.GARBAGE, Fault.ENDLESS])
    async def test_a_lost_answer_is_an_unknown_outcome(self, fault: Fault) -> None:
        """The client may have the message; only where the vendor drops repeats may it be sent again."""
        async with self.running() as (vendor, channel):
            self.strike(vendor, fault)
            assert isinstance(await channel.send(self.message()), OutcomeUnknown)
            if channel.can_repeat():
                assert isinstance(await channel.send(self.message()), Delivered)
                assert len(vendor.said) == 1

    async def test_a_silent_vendor_does_not_hold_us_for_ever(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each chat waits for its answer; without an end the bot would fall silent."""
        monkeypatch.setattr(client, "CALL_TIMEOUT_S", 0.05)
        async with self.running() as (vendor, channel):
            self.strike(vendor, Fault.SILENCE)
            assert isinstance(await channel.send(self.message()), OutcomeUnknown)

    @pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.BAD_GATEWAY])
    async def test_a_broken_vendor_refuses_nothing_for_good(self, fault: Fault) -> None:
        """Whether it was carried out is the vendor's documentation to say; a client's answer is never thrown away for it."""
        async with self.running() as (vendor, channel):
            self.strike(vendor, fault)
            assert isinstance(await channel.send(self.message()), RetryLater | OutcomeUnknown)

    async def test_a_redirect_is_never_followed(self) -> None:
        """A network that answers in the vendor's place would get the token."""
        async with self.running() as (vendor, channel):
            self.strike(vendor, Fault.REDIRECT)
            outcome = await channel.send(self.message())
            assert isinstance(outcome, RetryLater)
            assert outcome.needs_person
            assert len(vendor.requests) == self.calls_before_send + 1

    async def test_secrets_are_nowhere_but_on_the_wire(self, caplog: pytest.LogCaptureFixture) -> None:
        """Not in a log of ours or of the HTTP library, not in an outcome, not in an address."""
        caplog.set_level(logging.DEBUG)
        async with self.running() as (vendor, channel):
            vendor.faults.extend([Fault.DROP_AFTER, Fault.SERVER_ERROR])
            outcomes = [await channel.send(self.message()) for _ in range(3)]
            told = caplog.text + repr(outcomes) + repr(channel)
            assert not [name for name, value in self.secrets.items() if value in told]
            if self.integration.manifest.kind != "telegram":  # its tokens live in addresses, by the vendor's design
                assert not [v for v in self.secrets.values() for r in vendor.requests if v in f"{r.path} {r.query}"]

    # -- standing

    async def test_our_address_is_registered_once_and_found(self) -> None:
        """A second registration is harmless, and the check is content afterwards."""
        async with self.running() as (vendor, channel):
            if self.tells_webhook:
                before = await channel.check()
                assert any(finding.needs_registration for finding in before.findings)
            for _ in range(2):
                report = await channel.register(self.address)
                assert report.state is not FindingState.FAIL, report
            assert not self.tells_webhook or vendor.webhook == self.registered_address
            after = await channel.check()
            assert after.state is not FindingState.FAIL, after
            assert not any(finding.needs_registration for finding in after.findings)

    async def test_an_address_that_is_not_ours_is_found(self) -> None:
        """Another program took the bot: nothing arrives, and nobody would notice."""
        if not self.tells_webhook:
            return
        async with self.running() as (vendor, channel):
            await channel.register(self.address)
            vendor.webhook = "https://elsewhere.example/hook"
            assert any(finding.needs_registration for finding in (await channel.check()).findings)

    async def test_a_dead_token_is_found_with_a_cure(self) -> None:
        """The person who reads it must know what to do."""
        async with self.running() as (vendor, channel):
            vendor.kill_token()
            report = await channel.check()
            assert report.state is FindingState.FAIL
            assert all(finding.cure for finding in report.findings if finding.state is FindingState.FAIL)

    async def test_a_vendor_that_cannot_be_asked_is_told_apart(self) -> None:
        """A network that is down is no dead token."""
        async with self.double() as vendor:
            base = vendor.base
        async with self.opened(base) as channel:
            report = await channel.check()
            assert report.findings[0].code.endswith(".unreachable")

    async def test_taking_the_address_away_never_fails(self) -> None:
        """Removing a connection works also when the vendor is gone."""
        async with self.running() as (vendor, channel):
            await channel.register(self.address)
            await channel.unregister()
            assert vendor.webhook != self.registered_address or not self.tells_webhook
            vendor.faults.append(Fault.DROP_AFTER)
            await channel.unregister()
