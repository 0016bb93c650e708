"""The second barrier: where the sender's address is known, a vendor that publishes its own is held to it."""

import asyncio
import json
from collections.abc import Mapping
from ipaddress import ip_network
from types import SimpleNamespace

import pytest

from leadgate import registry
from leadgate.errors import WebhookRejectedError
from leadgate.model.connections import OpenConnection
from leadgate.model.webhooks import RawWebhook, Receipt, WebhookAnswer
from leadgate.testing.connections import open_connection
from leadgate.web.peers import Peers
from leadgate.web.webhooks import WebhookDoor

TELEGRAM = registry.get("telegram").manifest
THEIRS, STRANGER = "149.154.167.220", "203.0.113.7"
CADDY = [ip_network("127.0.0.1"), ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


def request(peer: str | None, forwarded: str | None = None) -> RawWebhook:
    """A webhook that comes from a peer, perhaps with what proxies say."""
    headers: Mapping[str, str] = {} if forwarded is None else {"x-forwarded-for": forwarded}
    return RawWebhook("POST", headers, b"{}", peer=peer)


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        (STRANGER, None, STRANGER),
        (STRANGER, THEIRS, STRANGER),  # whoever is no proxy of ours is not believed
        ("127.0.0.1", THEIRS, THEIRS),
        ("127.0.0.1", f"{THEIRS}, {STRANGER}", STRANGER),  # what the stranger wrote before is not read
        ("127.0.0.1", f"{STRANGER}, {THEIRS}, 10.1.2.3", THEIRS),  # two proxies of ours
        ("::ffff:127.0.0.1", f"::ffff:{THEIRS}", THEIRS),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("127.0.0.1", None, None),
        ("127.0.0.1", "unknown", None),
        ("127.0.0.1", f"{THEIRS}, garbage", None),
        ("127.0.0.1", "10.0.0.1, 10.0.0.2", None),
        (None, THEIRS, None),
    ],
)
def test_the_sender_is_the_last_hop_that_is_no_proxy_of_ours(
    peer: str | None, forwarded: str | None, found: str | None
) -> None:
    """Anybody can write the header; only its end, written by our own proxy, tells the truth."""
    assert Peers(CADDY).find(request(peer, forwarded)) == found


def test_a_stranger_who_knows_the_secret_is_refused() -> None:
    """That is what the barrier is for."""
    connection = open_connection("telegram")
    for sender in (request(STRANGER), request("127.0.0.1", f"{THEIRS}, {STRANGER}")):
        with pytest.raises(WebhookRejectedError) as refusal:
            Peers(CADDY).refuse_strangers(sender, TELEGRAM, connection)
        assert (refusal.value.status, refusal.value.code) == (401, "webhook.source_outside")
        assert STRANGER not in str(refusal.value)
    for sender in (request(THEIRS), request("127.0.0.1", "91.108.7.255")):
        Peers(CADDY).refuse_strangers(sender, TELEGRAM, connection)


def test_who_is_not_known_is_not_barred() -> None:
    """A barrier that guesses would shut out Telegram behind a proxy that nobody told us of."""
    connection = open_connection("telegram")
    Peers(None).refuse_strangers(request(STRANGER, STRANGER), TELEGRAM, connection)
    Peers(CADDY).refuse_strangers(request("127.0.0.1"), TELEGRAM, connection)
    with pytest.raises(WebhookRejectedError):
        Peers([]).refuse_strangers(request("127.0.0.1"), TELEGRAM, connection)  # "none": the peer is the sender


def test_a_server_of_the_salons_own_sends_from_anywhere() -> None:
    """Somebody who runs a Bot API server gets the updates from it."""
    own = open_connection("telegram", settings={"api_base": "http://127.0.0.1:8081"})
    usual = open_connection("telegram", settings={"api_base": "https://api.telegram.org/"})
    Peers(CADDY).refuse_strangers(request(STRANGER), TELEGRAM, own)
    with pytest.raises(WebhookRejectedError):
        Peers(CADDY).refuse_strangers(request(STRANGER), TELEGRAM, usual)


@pytest.mark.parametrize("kind", registry.kinds())
def test_ranges_of_every_manifest_can_be_read(kind: str) -> None:
    """A slip in a range would refuse the vendor's every webhook."""
    manifest = registry.get(kind).manifest
    assert all(ip_network(text).num_addresses < 2**20 for text in manifest.source_ranges)
    if not manifest.source_ranges:
        Peers([]).refuse_strangers(request(STRANGER), manifest, open_connection(kind))


class Kept:
    """The house behind the door, as far as a refused or accepted webhook meets it."""

    def __init__(self, opened: OpenConnection) -> None:
        self.settings = SimpleNamespace(trusted_proxies=CADDY)
        self.book = SimpleNamespace(find=lambda _: opened, integration=registry.get)
        self.intake = self.refusals = self
        self.refused: list[str] = []
        self.received: list[RawWebhook] = []

    def count(self, connection_id: str, code: str) -> None:
        self.refused.append(code)

    def receive(self, receiver: object, request: RawWebhook, opened: OpenConnection) -> asyncio.Future[Receipt]:
        self.received.append(request)
        kept = asyncio.get_running_loop().create_future()
        kept.set_result(Receipt("evt_1", duplicate=False))
        return kept


async def test_the_door_asks_before_the_proof_is_looked_at() -> None:
    """A stranger's request costs no comparison, is counted like every forgery, and is not kept."""
    house = Kept(open_connection("telegram", secrets={"webhook_secret": "demo-secret"}))
    door = WebhookDoor(house)  # type: ignore[arg-type]  # stands in for the house
    answers: list[WebhookAnswer] = []
    for sender in (request("127.0.0.1", STRANGER), request("127.0.0.1", THEIRS)):
        door.take("/webhooks/telegram/conn_1", sender, answers.append)
    await asyncio.sleep(0)
    assert [answer.status for answer in answers] == [401, 200]
    assert json.loads(answers[0].body)["code"] == "webhook.source_outside"
    assert (house.refused, len(house.received)) == (["webhook.source_outside"], 1)
