"""Instagram keeps the rules of every channel that sends, and its own: bytes, windows, two logins, one address for an app."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Self

import pytest

from leadgate.errors import ConfigurationError
from leadgate.integrations.instagram.manifest import INTEGRATION
from leadgate.integrations.instagram.send import InstagramChannel
from leadgate.model.connections import CheckReport, FindingState
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Delivered, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.testing.connections import NOW, FixedClock, open_connection
from leadgate.testing.graph_server import graph_error
from leadgate.testing.instagram_server import InstagramServer
from leadgate.testing.sender_suite import SenderSuite

PAGE_TOKEN, INSTAGRAM_TOKEN = "EAADEMOpage0001", "IGAADEMOaccount0001"
ACCOUNT = "17841400000000001"
VERA = "900000000000301"


class TestInstagramSendsForAPage(SenderSuite):
    integration = INTEGRATION
    secrets: ClassVar = {
        "access_token": PAGE_TOKEN,
        "app_secret": "demo-app-secret",
        "verify_token": "demo-verify-token",
    }
    settings: ClassVar = {"account_ids": ACCOUNT}
    chat_id = VERA
    piece_limit = 1000

    def double(self) -> InstagramServer:
        return InstagramServer(self.secrets["access_token"])

    @staticmethod
    def size(text: str) -> int:
        return len(text.encode())


class TestInstagramSendsForAnAccount(TestInstagramSendsForAPage):
    """With the token of an Instagram login Meta does not tell where it posts."""

    secrets: ClassVar = TestInstagramSendsForAPage.secrets | {"access_token": INSTAGRAM_TOKEN}
    tells_webhook = False


class _House:
    """One account at a double of Meta, and our sender, opened by `async with`."""

    def __init__(self, token: str = PAGE_TOKEN, *app_secrets: str, **settings: str) -> None:
        self.vendor = InstagramServer(token)
        self.secrets = {
            "access_token": (token,),
            "app_secret": app_secrets or ("demo-app-secret",),
            "verify_token": ("demo-verify-token",),
        }
        self.settings = {"account_ids": ACCOUNT} | settings

    async def __aenter__(self) -> Self:
        await self.vendor.__aenter__()
        settings = self.settings | {"api_base": self.vendor.base}
        connection = open_connection("instagram", secrets=self.secrets, settings=settings)
        self.channel = InstagramChannel(connection, clock=FixedClock())
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.channel.close()
        await self.vendor.__aexit__(None, None, None)

    def message(self, text: str = "Когда вам удобно?", **changed: Any) -> OutgoingMessage:  # noqa: ANN401 - fields of a message
        return TestInstagramSendsForAPage().message(text, **changed)

    @property
    def last(self) -> Mapping[str, Any]:
        """The body of what was sent last."""
        return self.vendor.sent[-1]


def _codes(report: CheckReport) -> set[str]:
    return {finding.code for finding in report.findings}


ADDRESS = TestInstagramSendsForAPage().address

# -- messages


async def test_cyrillic_counts_double() -> None:
    """A thousand bytes are five hundred letters."""
    async with _House() as house:
        assert isinstance(await house.channel.send(house.message("ж" * 500)), Delivered)
        assert len(house.vendor.said) == 1
        assert isinstance(await house.channel.send(house.message("ж" * 501)), Delivered)
        assert [len(said.text) for said in house.vendor.said] == [500, 500, 1]


@pytest.mark.parametrize(
    ("titles", "fits"),
    [
        (("Да", "Нет"), True),
        (tuple(f"Услуга {number}" for number in range(13)), True),
        (tuple(f"Услуга {number}" for number in range(14)), False),
        (("Окрашивание, два тона", "Нет"), False),
    ],
)
async def test_choices_are_quick_replies_or_words(titles: tuple[str, ...], fits: bool) -> None:
    """Thirteen of twenty letters; a longer title would be cut, so all of them stand in the text then."""
    async with _House() as house:
        assert isinstance(await house.channel.send(house.message(buttons=titles)), Delivered)
        shown = house.vendor.said[-1]
        assert shown.buttons == (titles if fits else ())
        assert fits or all(title in shown.text for title in titles)


async def test_the_phone_of_the_profile_can_be_given_by_a_tap() -> None:
    """Instagram fills the button in, so it has no title of ours; with it only twelve others fit."""
    async with _House() as house:
        await house.channel.send(house.message(ask_contact="Поделиться номером", buttons=("Не хочу",)))
        assert house.last["message"]["quick_replies"][0] == {"content_type": "user_phone_number"}
        assert (house.vendor.said[-1].asks_contact, house.vendor.said[-1].buttons) == (True, ("Не хочу",))
        many = tuple(f"Услуга {number}" for number in range(13))
        await house.channel.send(house.message(ask_contact="Поделиться номером", buttons=many))
        assert (house.vendor.said[-1].asks_contact, house.vendor.said[-1].buttons) == (True, ())
        assert "Услуга 12" in house.vendor.said[-1].text


async def test_quick_replies_hang_on_the_last_piece() -> None:
    """Elsewhere they would vanish under the next one."""
    async with _House() as house:
        await house.channel.send(house.message("слово " * 300, buttons=("Да",)))
        assert [bool(said.buttons) for said in house.vendor.said] == [False, False, False, True]


async def test_a_failure_between_pieces_is_unknown() -> None:
    """A repeat would show the first piece twice."""
    async with _House() as house:
        house.vendor.faults.extend([None, graph_error(2, status=500)])
        assert await house.channel.send(house.message("ж" * 600)) == OutcomeUnknown("instagram.partly_sent")


@pytest.mark.parametrize(
    ("settings", "chat_id", "path"),
    [
        ({}, VERA, "me"),
        ({}, f"{ACCOUNT}:{VERA}", "me"),
        ({"account_ids": ""}, f"{ACCOUNT}:{VERA}", "me"),
        ({"account_ids": f"17841400000000002,{ACCOUNT}"}, f"{ACCOUNT}:{VERA}", ACCOUNT),
        ({"account_ids": f"{ACCOUNT},17841400000000002"}, VERA, ACCOUNT),
    ],
)
async def test_the_account_is_named_only_where_there_are_several(
    settings: dict[str, str], chat_id: str, path: str
) -> None:
    """A client's id is good for one account alone."""
    async with _House(**settings) as house:
        assert isinstance(await house.channel.send(house.message(chat_id=chat_id)), Delivered)
        assert house.vendor.requests[-1].path.split("/")[2:] == [path, "messages"]
        assert house.last["recipient"] == {"id": VERA}


# -- the window


@pytest.mark.parametrize(
    ("silence", "by_person", "sent_as"),
    [
        (timedelta(hours=23), False, "RESPONSE"),
        (timedelta(hours=23), True, "RESPONSE"),
        (timedelta(hours=24), False, None),
        (timedelta(hours=24), True, "MESSAGE_TAG"),
        (timedelta(days=6, hours=23), True, "MESSAGE_TAG"),
        (timedelta(days=7), True, None),
        (None, True, None),
    ],
)
async def test_a_bot_has_a_day_and_a_human_seven(
    silence: timedelta | None, by_person: bool, sent_as: str | None
) -> None:
    """The tag is for words that a person wrote; the bot never borrows it."""
    async with _House() as house:
        if silence is None or silence >= timedelta(hours=24):
            house.vendor.silent.add(VERA)
        heard_at = None if silence is None else NOW - silence
        outcome = await house.channel.send(house.message(heard_at=heard_at, by_person=by_person))
        if sent_as is None:
            assert outcome == Refused("instagram.window_closed")
            assert house.vendor.requests == []
        else:
            assert isinstance(outcome, Delivered)
            assert house.last["messaging_type"] == sent_as
            assert house.last.get("tag") == ("HUMAN_AGENT" if sent_as == "MESSAGE_TAG" else None)


async def test_a_window_that_meta_sees_closed_is_told() -> None:
    """Its clock decides."""
    async with _House() as house:
        house.vendor.silent.add(VERA)
        outcome = await house.channel.send(house.message())
        assert isinstance(outcome, Refused)
        assert (outcome.code, outcome.unreachable) == ("instagram.window_closed", False)


async def test_a_thread_of_another_app_is_left_to_it() -> None:
    """Two programs must not talk to one client."""
    async with _House() as house:
        house.vendor.led_elsewhere.add(VERA)
        outcome = await house.channel.send(house.message())
        assert isinstance(outcome, Refused)
        assert outcome.code == "instagram.thread_elsewhere"


@pytest.mark.parametrize("code", [1, 2, 4, 17, 32, 613])
async def test_a_passing_error_is_tried_again(code: int) -> None:
    """By itself."""
    async with _House() as house:
        house.vendor.faults.append(graph_error(code, status=500))
        outcome = await house.channel.send(house.message())
        assert isinstance(outcome, RetryLater)
        assert (outcome.scope, outcome.needs_person) == (Scope.TARGET, False)


@pytest.mark.parametrize(("code", "subcode"), [(190, 463), (0, None), (3, None), (10, None), (299, None), (368, None)])
async def test_an_account_that_may_not_send_waits_for_a_person(code: int, subcode: int | None) -> None:
    """Nothing is wrong with the message."""
    async with _House() as house:
        house.vendor.faults.append(graph_error(code, subcode=subcode))
        outcome = await house.channel.send(house.message())
        assert isinstance(outcome, RetryLater)
        assert (outcome.scope, outcome.needs_person) == (Scope.TARGET, True)


@pytest.mark.parametrize(("code", "subcode"), [(100, None), (200, None), (551, None), (200, 1545041), (999, None)])
async def test_a_refusal_is_for_good(code: int, subcode: int | None) -> None:
    """Only a person who is not there closes the chat."""
    async with _House() as house:
        house.vendor.faults.append(graph_error(code, subcode=subcode))
        outcome = await house.channel.send(house.message())
        assert isinstance(outcome, Refused)
        assert outcome.unreachable is (code == 551 or subcode is not None)


# -- standing


async def test_a_good_connection_is_good() -> None:
    """Token, account, subscription and address."""
    async with _House() as house:
        await house.channel.register(ADDRESS)
        report = await house.channel.check()
        assert report.state is FindingState.OK
        assert _codes(report) == {"instagram.token_good", "instagram.subscribed", "instagram.webhook_set"}


async def test_either_of_two_app_secrets_may_be_the_apps_own() -> None:
    """An app of both logins has two; the Instagram one proves webhooks and nothing else."""
    async with _House(PAGE_TOKEN, "demo-instagram-secret", "demo-app-secret") as house:
        await house.channel.register(ADDRESS)
        assert house.vendor.webhook == ADDRESS
        assert "instagram.webhook_set" in _codes(await house.channel.check())
    async with _House(PAGE_TOKEN, "demo-instagram-secret") as house:
        report = await house.channel.register(ADDRESS)
        assert _codes(report) == {"instagram.subscribed", "instagram.address_by_hand"}
        assert report.state is (await house.channel.check()).state is FindingState.OK


async def test_an_instagram_login_subscribes_to_all_and_is_told_by_hand() -> None:
    """Its token cannot be asked for its app."""
    async with _House(INSTAGRAM_TOKEN) as house:
        await house.channel.register(ADDRESS)
        assert house.vendor.subscribed == {
            "messages",
            "messaging_postbacks",
            "messaging_seen",
            "message_reactions",
            "messaging_referral",
        }
        assert _codes(await house.channel.check()) == {
            "instagram.token_good",
            "instagram.subscribed",
            "instagram.address_by_hand",
        }


async def test_an_address_of_somebody_else_is_not_taken_away() -> None:
    """Removing a connection of ours must not silence another program."""
    async with _House() as house:
        await house.channel.register(ADDRESS)
        house.vendor.webhook = "https://elsewhere.example/hook"
        await house.channel.unregister()
        assert (house.vendor.webhook, house.vendor.subscribed) == ("https://elsewhere.example/hook", set())


async def test_an_address_that_meta_cannot_call_is_tried_again() -> None:
    """Meta calls it while it is being told, when a new connection may not be known to the gateway yet: no failure, but again."""
    async with _House() as house:
        report = await house.channel.register("http://salon.example/x")
        finding = report.findings[0]
        assert (finding.code, finding.needs_registration) == ("instagram.address_refused", True)
        assert report.state is FindingState.WARN


async def test_a_check_finds_what_is_wrong() -> None:
    """Each with a cure; what registering mends says so."""
    async with _House(account_ids="17841400000000009") as house:
        house.vendor.scopes = ("instagram_basic",)
        house.vendor.expires_at = int((NOW + timedelta(days=3)).timestamp())
        report = await house.channel.check()
        assert _codes(report) == {
            "instagram.token_good",
            "instagram.account_elsewhere",
            "instagram.not_subscribed",
            "instagram.permission_missing",
            "instagram.webhook_not_set",
            "instagram.token_expires",
        }
        assert report.findings[0].state is FindingState.FAIL
        assert all(finding.cure for finding in report.findings if finding.state is not FindingState.OK)
        mended = {finding.code for finding in report.findings if finding.needs_registration}
        assert mended == {"instagram.webhook_not_set", "instagram.not_subscribed"}


async def test_a_page_without_an_account_is_found() -> None:
    """The token is good and useless."""
    async with _House() as house:
        house.vendor.is_linked = False
        assert "instagram.account_not_linked" in _codes(await house.channel.check())


async def test_a_registration_without_a_verify_token_is_not_made() -> None:
    """Meta could not be answered."""
    connection = open_connection("instagram", secrets={"access_token": PAGE_TOKEN})
    channel = InstagramChannel(connection, clock=FixedClock())
    assert _codes(await channel.register(ADDRESS)) == {"instagram.verify_token_missing"}
    await channel.close()


def test_a_connection_without_a_token_cannot_send() -> None:
    """The error names the key."""
    with pytest.raises(ConfigurationError, match="access_token"):
        InstagramChannel(open_connection("instagram"), clock=FixedClock())
