"""WhatsApp keeps the rules of every channel that sends, and its own: windows, templates, buttons, numbers."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar, Self

import pytest

from leadgate.errors import ConfigurationError
from leadgate.integrations.whatsapp.manifest import INTEGRATION
from leadgate.integrations.whatsapp.send import WhatsAppChannel
from leadgate.model.connections import CheckReport, FindingState
from leadgate.model.messages import OutgoingMessage
from leadgate.model.outcomes import Delivered, OutcomeUnknown, Refused, RetryLater, Scope
from leadgate.testing.connections import NOW, FixedClock, open_connection
from leadgate.testing.graph_server import APP_ID, graph_error
from leadgate.testing.sender_suite import SenderSuite
from leadgate.testing.vendor_server import Reply
from leadgate.testing.whatsapp_server import WhatsAppServer

TOKEN = "EAADEMOtoken0001"
NUMBER = "200000000000001"
WABA = "100000000000001"
PHONE = "79000000201"
BUSINESS_SCOPED_ID = "RU.9000000000000210"
SETTINGS = {
    "phone_number_ids": NUMBER,
    "waba_id": WABA,
    "templates": "reminder=visit_reminder:ru, hello=greeting:en_US",
}


class TestWhatsAppSends(SenderSuite):
    integration = INTEGRATION
    secrets: ClassVar = {
        "access_token": TOKEN,
        "app_secret": "demo-app-secret",
        "verify_token": "demo-verify-token",
    }
    settings: ClassVar = {"phone_number_ids": NUMBER, "waba_id": WABA}
    chat_id = PHONE
    piece_limit = 4096

    def double(self) -> WhatsAppServer:
        return WhatsAppServer(TOKEN)


class _House:
    """One number at a double of Meta, and our sender, opened by `async with`."""

    def __init__(self, **settings: str) -> None:
        self.vendor = WhatsAppServer(TOKEN)
        self.vendor.templates = {("visit_reminder", "ru"): ("APPROVED", 2), ("greeting", "en_US"): ("PAUSED", 0)}
        self.settings = SETTINGS | settings
        self.clock = FixedClock()

    async def __aenter__(self) -> Self:
        await self.vendor.__aenter__()
        connection = open_connection(
            "whatsapp",
            secrets={"access_token": TOKEN, "verify_token": "demo-verify-token"},
            settings=self.settings | {"api_base": self.vendor.base},
        )
        self.channel = WhatsAppChannel(connection, clock=self.clock)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.channel.close()
        await self.vendor.__aexit__(None, None, None)

    def message(self, text: str = "Когда вам удобно?", **changed: Any) -> OutgoingMessage:  # noqa: ANN401 - fields of a message
        return TestWhatsAppSends().message(text, **changed)

    @property
    def last(self) -> Mapping[str, Any]:
        """The body of what was sent last."""
        return self.vendor.sent[-1]


def _codes(report: CheckReport) -> set[str]:
    return {finding.code for finding in report.findings}


# -- messages


async def test_our_id_travels_along() -> None:
    """It comes back in every status, also when the answer to the send was lost."""
    async with _House() as house:
        await house.channel.send(house.message(message_id="evt_7-1"))
        assert house.last["biz_opaque_callback_data"] == "evt_7-1"


async def test_of_a_message_in_pieces_none_bears_our_id() -> None:
    """The status of one piece would be taken for the whole."""
    async with _House() as house:
        await house.channel.send(house.message("слово " * 1000))
        assert len(house.vendor.sent) > 1
        assert not any("biz_opaque_callback_data" in body for body in house.vendor.sent)


@pytest.mark.parametrize(
    ("chat_id", "field", "person"),
    [
        (PHONE, "to", PHONE),
        (f"{NUMBER}:{PHONE}", "to", PHONE),
        (f"{NUMBER}:{BUSINESS_SCOPED_ID}", "recipient", BUSINESS_SCOPED_ID),
        (f":{PHONE}", "to", PHONE),
    ],
)
async def test_a_person_is_named_by_phone_or_by_id(chat_id: str, field: str, person: str) -> None:
    """Somebody with a username has no phone for us."""
    async with _House() as house:
        assert isinstance(await house.channel.send(house.message(chat_id=chat_id)), Delivered)
        assert house.last[field] == person
        assert not {"to", "recipient"} - {field} & set(house.last)


async def test_the_answer_comes_from_the_number_that_was_written_to() -> None:
    """A salon may have two numbers, and the window is each number's own."""
    async with _House(phone_number_ids=f"200000000000009,{NUMBER}") as house:
        assert isinstance(await house.channel.send(house.message(chat_id=f"{NUMBER}:{PHONE}")), Delivered)
        assert isinstance(await house.channel.send(house.message()), Refused)
        assert [request.path.split("/")[2] for request in house.vendor.requests] == [NUMBER, "200000000000009"]


async def test_without_any_number_nothing_can_be_sent() -> None:
    """Somebody must say which number is the salon's."""
    async with _House(phone_number_ids="", waba_id="") as house:
        outcome = await house.channel.send(house.message())
        assert outcome == RetryLater("whatsapp.number_not_set", Scope.TARGET, needs_person=True)
        assert (
            _codes(await house.channel.check())
            == _codes(await house.channel.register("https://x"))
            == {"whatsapp.number_not_set"}
        )
        assert house.vendor.requests == []


@pytest.mark.parametrize(
    ("titles", "kind"),
    [
        (("Да", "Нет"), "button"),
        (("Да", "Нет", "Позже"), "button"),
        (("Утром", "Днём", "Вечером", "Не знаю"), "list"),
        (("Стрижка и укладка праздн.", "Нет"), None),
        (("Стрижка и укладка", "Окрашивание, два тона"), "list"),
        (tuple(f"Услуга {number}" for number in range(10)), "list"),
        (tuple(f"Услуга {number}" for number in range(11)), None),
        (("Да", "Да"), None),
    ],
)
async def test_choices_are_buttons_then_a_list_then_words(titles: tuple[str, ...], kind: str | None) -> None:
    """Three short ones, ten middling ones; whatever fits neither stands in the text."""
    async with _House() as house:
        assert isinstance(await house.channel.send(house.message(buttons=titles)), Delivered)
        assert house.last.get("interactive", {}).get("type") == kind
        shown = house.vendor.said[-1]
        assert shown.buttons == (titles if kind else ())
        assert kind or all(title in shown.text for title in titles)


async def test_the_list_opens_in_the_language_of_its_rows() -> None:
    """The word on the button is ours."""
    async with _House() as house:
        for titles, word in ((("А", "Б", "В", "Г"), "Выбрать"), (("A", "B", "C", "D"), "Choose")):
            await house.channel.send(house.message(buttons=titles))
            assert house.last["interactive"]["action"]["button"] == word


async def test_a_long_text_with_buttons_ends_in_a_short_piece() -> None:
    """The text over buttons may be a quarter as long as another."""
    async with _House() as house:
        text = ("слово " * 600).strip()
        assert isinstance(await house.channel.send(house.message(text, buttons=("Да",))), Delivered)
        assert "".join(said.text for said in house.vendor.said) == text
        assert [bool(said.buttons) for said in house.vendor.said] == [False, False, False, True]


async def test_a_phone_is_asked_for_only_where_it_is_hidden() -> None:
    """Everybody else's comes with each message; the choices then stand in the text."""
    async with _House() as house:
        asking: dict[str, Any] = {"ask_contact": "Поделиться номером", "buttons": ("Не хочу",)}
        await house.channel.send(house.message(chat_id=f"{NUMBER}:{BUSINESS_SCOPED_ID}", **asking))
        assert house.vendor.said[-1].asks_contact
        assert "Не хочу" in house.vendor.said[-1].text
        await house.channel.send(house.message(**asking))
        assert (house.vendor.said[-1].asks_contact, house.vendor.said[-1].buttons) == (False, ("Не хочу",))


async def test_a_failure_between_pieces_is_unknown() -> None:
    """A repeat would show the first piece twice."""
    async with _House() as house:
        house.vendor.faults.extend([None, graph_error(131000, status=500)])
        outcome = await house.channel.send(house.message("слово " * 1000))
        assert outcome == OutcomeUnknown("whatsapp.partly_sent")


# -- the window and templates


@pytest.mark.parametrize("age", [timedelta(hours=24), timedelta(days=30), None])
async def test_outside_the_window_only_an_approved_template_goes(age: timedelta | None) -> None:
    """Meta lets a salon speak freely for a day after the client's last word."""
    async with _House() as house:
        house.vendor.silent.add(PHONE)
        heard_at = None if age is None else NOW - age
        assert await house.channel.send(house.message(heard_at=heard_at)) == Refused("whatsapp.window_closed")
        other = house.message(heard_at=heard_at, template="birthday")
        assert await house.channel.send(other) == Refused("whatsapp.window_closed")
        assert house.vendor.requests == []
        reminder = house.message(heard_at=heard_at, template="reminder", parameters=("Алсу", "завтра\nв 15:00   ровно"))
        assert isinstance(await house.channel.send(reminder), Delivered)
        assert house.last["template"] == {
            "name": "visit_reminder",
            "language": {"code": "ru"},
            "components": [
                {
                    "type": "body",
                    "parameters": [{"type": "text", "text": "Алсу"}, {"type": "text", "text": "завтра в 15:00 ровно"}],
                }
            ],
        }


async def test_inside_the_window_the_words_are_our_own() -> None:
    """A template costs money and says less."""
    async with _House() as house:
        message = house.message(heard_at=NOW - timedelta(hours=23, minutes=59), template="reminder")
        assert isinstance(await house.channel.send(message), Delivered)
        assert house.last["type"] == "text"


@pytest.mark.parametrize(
    ("template", "parameters"), [("hello", ()), ("reminder", ("Алсу",)), ("reminder", ("Алсу", "в 15:00", "лишнее"))]
)
async def test_a_template_that_meta_refuses_is_told(template: str, parameters: tuple[str, ...]) -> None:
    """Paused, or with another number of parameters."""
    async with _House() as house:
        outcome = await house.channel.send(house.message(heard_at=None, template=template, parameters=parameters))
        assert isinstance(outcome, Refused)
        assert outcome.code == "whatsapp.template_refused"


async def test_an_empty_parameter_is_filled() -> None:
    """Meta refuses an empty one, and the rest of the reminder is still wanted."""
    async with _House() as house:
        message = house.message(heard_at=None, template="reminder", parameters=(" ", "в 15:00"))
        assert isinstance(await house.channel.send(message), Delivered)


# -- pace


async def test_one_person_is_not_written_to_too_often() -> None:
    """One message in six seconds, after a short burst; others go on."""
    async with _House() as house:
        for _ in range(8):
            assert isinstance(await house.channel.send(house.message()), Delivered)
        outcome = await house.channel.send(house.message())
        assert isinstance(outcome, RetryLater)
        assert (outcome.code, outcome.scope) == ("whatsapp.paced", Scope.ITEM)
        assert isinstance(await house.channel.send(house.message(chat_id="79000000202")), Delivered)
        house.clock.move(timedelta(seconds=6))
        assert isinstance(await house.channel.send(house.message()), Delivered)
        assert len(house.vendor.said) == 10


async def test_a_named_wait_holds_all_chats() -> None:
    """Where an answer says how long, it is the number's limit."""
    async with _House() as house:
        limited = house.vendor.limited(0)
        house.vendor.faults.append(Reply(limited.body, limited.status, {"Retry-After": "30"}))
        outcome = await house.channel.send(house.message())
        assert outcome == RetryLater(
            "whatsapp.too_many_requests", Scope.TARGET, after=timedelta(seconds=30), detail="130429: (*) Rate limit hit"
        )
        assert isinstance(await house.channel.send(house.message(chat_id="79000000202")), RetryLater)
        assert len(house.vendor.requests) == 1


async def test_the_limit_of_one_person_leaves_the_others_alone() -> None:
    """Also where the answer names a wait."""
    async with _House() as house:
        house.vendor.faults.append(Reply(graph_error(131056).body, 400, {"Retry-After": "30"}))
        outcome = await house.channel.send(house.message())
        assert isinstance(outcome, RetryLater)
        assert (outcome.scope, outcome.after) == (Scope.ITEM, timedelta(seconds=30))
        assert isinstance(await house.channel.send(house.message(chat_id="79000000202")), Delivered)


# -- standing

ADDRESS = TestWhatsAppSends().address


async def test_a_good_connection_is_good() -> None:
    """Token, address, subscription and templates."""
    async with _House() as house:
        house.vendor.templates["greeting", "en_US"] = ("APPROVED", 0)
        await house.channel.register(ADDRESS)
        report = await house.channel.check()
        assert report.state is FindingState.OK
        assert _codes(report) == {"whatsapp.token_good", "whatsapp.webhook_set", "whatsapp.subscribed"}
        assert house.vendor.account_webhook == ""


async def test_registration_leaves_other_numbers_of_the_account_alone() -> None:
    """The address of the account may be another salon's; ours is set for our number."""
    async with _House() as house:
        house.vendor.account_webhook = "https://other.example/hook"
        house.vendor.subscribed.add(APP_ID)
        await house.channel.register(ADDRESS)
        await house.channel.unregister()
        assert house.vendor.account_webhook == "https://other.example/hook"
        assert house.vendor.webhook == ""


async def test_without_named_numbers_the_whole_account_is_ours() -> None:
    """Then its own address is set, and taken away again."""
    async with _House(phone_number_ids="") as house:
        assert (await house.channel.register(ADDRESS)).state is FindingState.OK
        assert (house.vendor.webhook, house.vendor.account_webhook) == ("", ADDRESS)
        assert "whatsapp.webhook_set" in _codes(await house.channel.check())
        await house.channel.unregister()
        assert house.vendor.account_webhook == ""


async def test_an_address_that_was_set_by_hand_is_good() -> None:
    """The app's own callback is the last resort of Meta, and may be ours."""
    async with _House() as house:
        house.vendor.subscribed.add(APP_ID)
        house.vendor.app_webhook = ADDRESS
        assert "whatsapp.webhook_set" in _codes(await house.channel.check())


async def test_the_address_of_the_number_wins() -> None:
    """Number, then account, then app: so Meta chooses where to post."""
    async with _House() as house:
        vendor = house.vendor
        vendor.subscribed.add(APP_ID)
        vendor.app_webhook, vendor.account_webhook = ADDRESS, "https://other.example/hook"
        assert "whatsapp.webhook_elsewhere" in _codes(await house.channel.check())
        vendor.app_webhook, vendor.account_webhook, vendor.webhook = "", "https://other.example/hook", ADDRESS
        assert "whatsapp.webhook_set" in _codes(await house.channel.check())


async def test_an_address_that_meta_cannot_call_is_tried_again() -> None:
    """Meta calls it while it is being told, when a new connection may not be known to the gateway yet: no failure, but again."""
    async with _House() as house:
        report = await house.channel.register("http://salon.example/x")
        finding = report.findings[0]
        assert (finding.code, finding.needs_registration) == ("whatsapp.address_refused", True)
        assert report.state is FindingState.WARN


async def test_a_registration_without_a_verify_token_is_not_made() -> None:
    """Meta could not be answered."""
    connection = open_connection("whatsapp", secrets={"access_token": TOKEN}, settings=SETTINGS)
    channel = WhatsAppChannel(connection, clock=FixedClock())
    assert _codes(await channel.register(ADDRESS)) == {"whatsapp.verify_token_missing"}
    await channel.close()


async def test_a_check_finds_what_is_wrong() -> None:
    """Each with a cure; what registering mends says so."""
    async with _House() as house:
        vendor = house.vendor
        vendor.number = {"quality_rating": "RED", "status": "RESTRICTED"}
        vendor.scopes = ("whatsapp_business_messaging",)
        vendor.expires_at = int((NOW + timedelta(days=3)).timestamp())
        vendor.subscribed = {"400000000000009"}
        del vendor.templates["visit_reminder", "ru"]
        report = await house.channel.check()
        assert _codes(report) == {
            "whatsapp.token_good",
            "whatsapp.webhook_not_set",
            "whatsapp.number_restricted",
            "whatsapp.not_subscribed",
            "whatsapp.permission_missing",
            "whatsapp.quality_low",
            "whatsapp.token_expires",
            "whatsapp.template_missing",
            "whatsapp.template_not_approved",
        }
        assert report.findings[0].state is FindingState.FAIL
        assert all(finding.cure for finding in report.findings if finding.state is not FindingState.OK)
        mended = {finding.code for finding in report.findings if finding.needs_registration}
        assert mended == {"whatsapp.webhook_not_set", "whatsapp.not_subscribed"}


async def test_a_token_that_meta_does_not_tell_of_is_no_finding() -> None:
    """Whether the app may ask is Meta's to say; sending is what counts."""
    async with _House() as house:
        house.vendor.tells_token = False
        await house.channel.register(ADDRESS)
        assert "whatsapp.token_good" in _codes(await house.channel.check())


async def test_without_the_account_only_the_numbers_are_looked_at() -> None:
    """Then the subscription is made by hand."""
    async with _House(waba_id="") as house:
        assert (await house.channel.register(ADDRESS)).state is FindingState.OK
        assert _codes(await house.channel.check()) == {
            "whatsapp.token_good",
            "whatsapp.webhook_set",
            "whatsapp.account_not_set",
        }


async def test_a_number_that_is_not_there_is_found() -> None:
    """Mostly a telephone number was written in place of its id."""
    async with _House(phone_number_ids="79000000001") as house:
        report = await house.channel.check()
        assert (report.findings[0].code, report.state) == ("whatsapp.bad_request", FindingState.FAIL)


async def test_a_version_in_the_base_address_wins() -> None:
    """Meta takes versions away after two years; the salon need not wait for us."""
    async with _House() as house:
        connection = open_connection(
            "whatsapp", secrets={"access_token": TOKEN}, settings=SETTINGS | {"api_base": house.vendor.base + "/v31.0/"}
        )
        channel = WhatsAppChannel(connection, clock=FixedClock())
        assert isinstance(await channel.send(house.message()), Delivered)
        assert house.vendor.requests[-1].path.startswith("/v31.0/")
        await channel.close()


def test_a_connection_without_a_token_cannot_send() -> None:
    """The error names the key."""
    with pytest.raises(ConfigurationError, match="access_token"):
        WhatsAppChannel(open_connection("whatsapp"), clock=FixedClock())
