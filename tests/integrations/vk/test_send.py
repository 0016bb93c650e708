from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import ClassVar

import pytest

from leadgate.errors import ConfigurationError
from leadgate.integrations.vk.manifest import INTEGRATION
from leadgate.integrations.vk.send import VkChannel
from leadgate.model.connections import FindingState
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Delivered, Outcome, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.testing.connections import FixedClock, open_connection
from leadgate.testing.sender_suite import SenderSuite
from leadgate.testing.vendor_server import Fault, Reply, VendorServer
from leadgate.testing.vk_server import VkServer

TOKEN = "vk1.a.demo-limon-key"
SECRETS = {"access_token": TOKEN, "webhook_secret": "Limon2026DemoSecret", "confirmation": "a1b2c3d4"}
ADDRESS = "https://salon.example/webhooks/vk/conn_00000000000000000000000001"
CHAT = "700000401"
HELLO = OutgoingMessage(message_id="evt_1-1", chat_id=CHAT, text="Здравствуйте!")


class TestVkSends(SenderSuite):
    integration = INTEGRATION
    secrets: ClassVar = SECRETS
    settings: ClassVar = {"group_id": "210000001"}
    chat_id = CHAT
    piece_limit = 4096

    def double(self) -> VendorServer:
        return VkServer(TOKEN)


@asynccontextmanager
async def _community(server: VkServer, **secrets: str) -> AsyncIterator[VkChannel]:
    connection = open_connection(
        "vk", secrets={**SECRETS, **secrets}, settings={"group_id": "210000001", "api_base": server.base + "/method/"}
    )
    channel = VkChannel(connection, clock=FixedClock())
    try:
        yield channel
    finally:
        await channel.close()


@pytest.fixture
async def server() -> AsyncIterator[VkServer]:
    """One community at a double of VK."""
    async with VkServer(TOKEN) as running:
        yield running


@pytest.fixture
async def channel(server: VkServer) -> AsyncIterator[VkChannel]:
    """The sender of that community."""
    async with _community(server) as opened:
        yield opened


def _error(number: int, message: str = "Something is wrong") -> Reply:
    return Reply({"error": {"error_code": number, "error_msg": message}})


async def test_the_key_travels_in_the_header_and_the_version_with_every_call(
    server: VkServer, channel: VkChannel
) -> None:
    """Addresses end up in logs; without a version VK refuses."""
    assert isinstance(await channel.send(HELLO), Delivered)
    (request,) = server.requests
    assert request.headers["authorization"] == f"Bearer {TOKEN}"
    assert (request.method, request.path, request.query) == ("POST", "/method/messages.send", {})
    assert request.form()["v"] == "5.199"
    assert "access_token" not in request.form()


@pytest.mark.parametrize("fault", [Fault.DROP_AFTER, Fault.SERVER_ERROR, Fault.BAD_GATEWAY])
async def test_a_repeat_never_doubles(fault: Fault, server: VkServer, channel: VkChannel) -> None:
    """Every piece has a mark; whatever was lost on the way, the client sees each piece once."""
    message = OutgoingMessage(message_id="evt_1-1", chat_id=CHAT, text="слово " * 2000)
    server.faults.extend([None, fault])
    assert channel.can_repeat()
    assert isinstance(await channel.send(message), OutcomeUnknown)
    assert await channel.send(message) == Delivered("3")
    assert "".join(said.text for said in server.said).split() == message.text.split()


async def test_a_later_piece_that_is_held_up_holds_up_the_whole(server: VkServer, channel: VkChannel) -> None:
    """What was sent is dropped by VK when the whole is repeated."""
    server.faults.extend([None, _error(29)])
    outcome = await channel.send(OutgoingMessage(message_id="m", chat_id=CHAT, text="слово " * 1000))
    assert outcome == RetryLater("vk.limit_reached", Scope.TARGET, after=timedelta(minutes=1))


async def test_the_same_words_in_two_messages_are_said_twice(server: VkServer, channel: VkChannel) -> None:
    """The mark is made of the message's id, not of its words."""
    for number in (1, 2):
        await channel.send(OutgoingMessage(message_id=f"evt_{number}-1", chat_id=CHAT, text="Ждём вас"))
    assert len(server.said) == 2


async def test_a_press_is_acknowledged_first(server: VkServer, channel: VkChannel) -> None:
    """Otherwise the client looks at a spinner."""
    message = OutgoingMessage(message_id="m", chat_id=CHAT, text="Записала", callback_id="a1b2c3d4e5f6")
    assert await channel.send(message) == Delivered("1")
    assert [request.path for request in server.requests] == [
        "/method/messages.sendMessageEventAnswer",
        "/method/messages.send",
    ]
    assert dict(server.requests[0].form()) == {
        "event_id": "a1b2c3d4e5f6",
        "user_id": CHAT,
        "peer_id": CHAT,
        "v": "5.199",
    }
    assert server.answered == ["a1b2c3d4e5f6"]


async def test_a_press_that_is_too_old_does_not_stop_the_answer(server: VkServer, channel: VkChannel) -> None:
    """VK forgets presses; the words are still wanted."""
    server.expired.add("a1b2c3d4e5f6")
    message = OutgoingMessage(message_id="m", chat_id=CHAT, text="Записала", callback_id="a1b2c3d4e5f6")
    assert isinstance(await channel.send(message), Delivered)


async def test_nothing_is_sent_when_the_acknowledgement_is_held_up(server: VkServer, channel: VkChannel) -> None:
    """A limit that is reached holds up the whole message; it is sent once, later."""
    server.faults.append(_error(6))
    message = OutgoingMessage(message_id="m", chat_id=CHAT, text="Записала", callback_id="a1b2c3d4e5f6")
    outcome = await channel.send(message)
    assert outcome == RetryLater("vk.too_many_requests", Scope.TARGET, after=timedelta(seconds=1))
    assert server.said == []


async def test_without_bot_features_the_choices_are_said(server: VkServer, channel: VkChannel) -> None:
    """A switch in the community's settings forbids keyboards; the question is asked all the same."""
    server.bot_features = False
    message = OutgoingMessage(message_id="m", chat_id=CHAT, text="Когда?", buttons=("Утром", "Днём"))
    assert isinstance(await channel.send(message), Delivered)
    (said,) = server.said
    assert (said.text, said.buttons) == ("Когда?\n— Утром\n— Днём", ())


@pytest.mark.parametrize(
    ("number", "outcome"),
    [
        (1, RetryLater("vk.server_error", Scope.ITEM)),
        (10, RetryLater("vk.server_error", Scope.ITEM)),
        (6, RetryLater("vk.too_many_requests", Scope.TARGET, after=timedelta(seconds=1))),
        (9, RetryLater("vk.flood_control", Scope.ITEM, after=timedelta(minutes=1))),
        (29, RetryLater("vk.limit_reached", Scope.TARGET, after=timedelta(minutes=1))),
        (5, RetryLater("vk.token_refused", Scope.TARGET, needs_person=True, detail="Sorry")),
        (27, RetryLater("vk.token_refused", Scope.TARGET, needs_person=True, detail="Sorry")),
        (15, RetryLater("vk.right_missing", Scope.TARGET, needs_person=True, detail="Sorry")),
        (14, RetryLater("vk.captcha", Scope.TARGET, needs_person=True, detail="Sorry")),
        (900, Refused("vk.blacklisted", "Sorry", unreachable=True)),
        (901, Refused("vk.not_allowed", "Sorry", unreachable=True)),
        (902, Refused("vk.privacy", "Sorry", unreachable=True)),
        (18, Refused("vk.user_gone", "Sorry", unreachable=True)),
        (917, Refused("vk.chat_closed", "Sorry", unreachable=True)),
        (936, Refused("vk.contact_unknown", "Sorry", unreachable=True)),
        (945, Refused("vk.chat_closed", "Sorry", unreachable=True)),
        (950, Refused("vk.window_closed", "Sorry", unreachable=True)),
        (100, Refused("vk.bad_request", "Sorry")),
        (113, Refused("vk.user_unknown", "Sorry")),
        (911, Refused("vk.keyboard_refused", "Sorry")),
        (912, Refused("vk.bot_features_off", "Sorry")),
        (914, Refused("vk.text_too_long", "Sorry")),
        (77777, Refused("vk.refused", "Sorry")),
    ],
)
async def test_every_error_has_its_outcome(number: int, outcome: Outcome, server: VkServer, channel: VkChannel) -> None:
    """The status is 200 for all of them: only the number tells what may be repeated and what needs a person."""
    server.faults.append(_error(number, "Sorry"))
    assert await channel.send(HELLO) == outcome


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (
            Reply({}, 429, {"Retry-After": "5"}),
            RetryLater("vk.too_many_requests", Scope.TARGET, after=timedelta(seconds=5)),
        ),
        (Reply({"nothing": 1}), OutcomeUnknown("vk.answer_unreadable")),
        (Reply({"error": {}}), OutcomeUnknown("vk.answer_unreadable")),
        (Reply(b"<html>", 404), RetryLater("vk.not_the_api", Scope.TARGET, needs_person=True)),
        (Reply({}, 503), OutcomeUnknown("vk.server_error")),
    ],
)
async def test_answers_that_are_not_vks_have_their_outcome(
    reply: Reply, outcome: Outcome, server: VkServer, channel: VkChannel
) -> None:
    """A proxy, a wrong address or a sick server; nothing is thrown away for it."""
    server.faults.append(reply)
    assert await channel.send(HELLO) == outcome


async def test_a_detail_carries_no_personal_data(server: VkServer, channel: VkChannel) -> None:
    """VK quotes the parameters of the request beside its error; details are stored and shown."""
    server.faults.append(_error(100, "bad message: Алсу +7 900 000-01-01"))
    assert await channel.send(HELLO) == Refused("vk.bad_request", "bad message: * * * *-*-*")


async def test_a_limit_of_the_community_holds_up_its_other_dialogues(server: VkServer, channel: VkChannel) -> None:
    """The limit is the key's, so the next dialogue would only run into it."""
    server.faults.append(_error(29))
    await channel.send(HELLO)
    asked = len(server.requests)
    outcome = await channel.send(OutgoingMessage(message_id="m2", chat_id="700000402", text="Да"))
    assert isinstance(outcome, RetryLater)
    assert outcome.code == "vk.paced"
    assert len(server.requests) == asked


def test_a_connection_without_a_key_cannot_send() -> None:
    """The error names the key."""
    with pytest.raises(ConfigurationError, match="access_token"):
        VkChannel(open_connection("vk"), clock=FixedClock())


async def test_registration_gives_address_secret_and_wishes(server: VkServer, channel: VkChannel) -> None:
    """Without the switches nothing is posted; the servers of other programs stay."""
    for _ in range(2):
        report = await channel.register(ADDRESS)
        assert report.state is FindingState.OK
    assert (server.webhook, server.secret) == (ADDRESS, SECRETS["webhook_secret"])
    assert {name for name, value in server.events.items() if value} == {
        "message_new",
        "message_reply",
        "message_edit",
        "message_allow",
        "message_deny",
        "message_event",
        "message_read",
        "message_reaction_event",
    }
    entered = [path for request in server.requests if "CallbackServer" in (path := request.path) and "get" not in path]
    assert entered == ["/method/groups.addCallbackServer", "/method/groups.editCallbackServer"]
    await channel.unregister()
    assert server.webhook == ""
    assert not any("server_id=3" in request.body.decode() for request in server.requests)


async def test_a_key_that_may_not_manage_tells_what_to_do_by_hand(server: VkServer, channel: VkChannel) -> None:
    """Most keys are made for messages alone; that is no failure, and the address to enter is told."""
    server.permissions = {"messages"}
    (finding,) = (await channel.register(ADDRESS)).findings
    assert (finding.code, finding.state) == ("vk.register_by_hand", FindingState.WARN)
    assert ADDRESS in finding.text
    assert "Callback API" in finding.cure
    report = await channel.check()
    assert [finding.code for finding in report.findings] == ["vk.register_by_hand", "vk.key_good"]
    assert not any(finding.needs_registration for finding in report.findings)


async def test_a_check_of_a_good_connection_is_good(server: VkServer, channel: VkChannel) -> None:
    """Key, address, secret, events and confirmation are as we think."""
    await channel.register(ADDRESS)
    report = await channel.check()
    assert [finding.code for finding in report.findings] == ["vk.key_good", "vk.webhook_set"]


@pytest.mark.parametrize(
    ("changed", "code", "state", "mends"),
    [
        ({"webhook": ""}, "vk.webhook_not_set", "fail", True),
        ({"webhook": "https://other.example/hook"}, "vk.webhook_not_set", "fail", True),
        ({"secret": "another"}, "vk.secret_differs", "warn", True),
        ({"status": "failed"}, "vk.webhook_failing", "warn", True),
        ({"status": "unconfigured"}, "vk.webhook_failing", "warn", True),
        ({"status": "wait"}, "vk.webhook_unconfirmed", "warn", False),
        ({"events": {"message_new": 1, "message_event": 0}}, "vk.events_left_out", "warn", True),
        ({"code": "fresh123"}, "vk.confirmation_differs", "warn", False),
        ({"code": "fresh123", "status": "failed"}, "vk.confirmation_differs", "fail", False),
        ({"permissions": {"manage"}}, "vk.right_missing", "fail", False),
        ({"group_id": 210000002}, "vk.other_group", "fail", False),
    ],
)
async def test_a_check_finds_what_is_wrong(
    changed: dict[str, object], code: str, state: str, mends: bool, server: VkServer, channel: VkChannel
) -> None:
    """The gravest finding comes first, with its cure; what registration mends says so."""
    await channel.register(ADDRESS)
    for name, value in changed.items():
        setattr(server, name, value)
    finding = (await channel.check()).findings[0]
    assert (finding.code, finding.state, finding.needs_registration) == (code, state, mends)
    assert finding.cure


async def test_a_fresh_secret_is_told_to_vk(server: VkServer, channel: VkChannel) -> None:
    """During a rotation both are good here; VK learns the newest."""
    await channel.register(ADDRESS)
    async with _community(server, webhook_secret="FreshSecret2026") as rotated:
        assert any(finding.needs_registration for finding in (await rotated.check()).findings)
        await rotated.register(ADDRESS)
        assert (await rotated.check()).state is FindingState.OK
    assert server.secret == "FreshSecret2026"


@pytest.mark.parametrize(("error", "code"), [(_error(2000), "vk.too_many_servers"), (_error(100), "vk.bad_request")])
async def test_an_address_that_vk_refuses_is_told(
    error: Reply, code: str, server: VkServer, channel: VkChannel
) -> None:
    """A community has ten servers at most."""
    server.faults.extend([None, error])
    (finding,) = (await channel.register(ADDRESS)).findings
    assert (finding.code, finding.state) == (code, FindingState.FAIL)
    assert finding.cure


async def test_a_registration_without_a_secret_is_not_made(server: VkServer) -> None:
    """Without a secret nothing that arrives could be proven."""
    connection = open_connection(
        "vk", secrets={"access_token": TOKEN}, settings={"group_id": "210000001", "api_base": server.base}
    )
    channel = VkChannel(connection, clock=FixedClock())
    assert (await channel.register(ADDRESS)).findings[0].code == "vk.secret_missing"
    assert server.requests == []
    await channel.close()


async def test_a_vk_that_tells_nothing_is_no_failure(server: VkServer, channel: VkChannel) -> None:
    """Older versions and other servers answer less; what cannot be asked is never held against the connection."""
    server.faults.extend([Reply({"response": []}), _error(3), _error(10)])
    report = await channel.check()
    assert [(finding.code, finding.state) for finding in report.findings] == [
        ("vk.server_error", FindingState.WARN),
        ("vk.key_good", FindingState.OK),
    ]
