"""Half a minute of odd bodies in the gate, and planted bugs that it must find."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from random import Random, SystemRandom

import pytest

from leadgate.intake.untrusted import find_object, value_at
from leadgate.integrations.hello.manifest import INTEGRATION
from leadgate.integrations.hello.receive import HelloReceiver
from leadgate.model.connections import OpenConnection
from leadgate.model.events import EventKind, NormalisedEvent
from leadgate.model.webhooks import RawWebhook, VerifiedWebhook
from leadgate.testing.connections import open_connection
from tests.fuzz.campaign import run
from tests.fuzz.mutations import mutated
from tests.fuzz.seeds import Target, find_target, fixtures, fuzzed_kinds

GATE_S = 30.0


@pytest.mark.parametrize("kind", fuzzed_kinds())
def test_no_body_makes_a_receiver_fall_over(kind: str) -> None:
    """A body that raises comes again for days, and blocks a conversation for as long."""
    seed = SystemRandom().randrange(2**31)
    count, broken = run(find_target(kind), seed=seed, seconds=GATE_S / len(fuzzed_kinds()))
    assert broken is None, broken.told()
    assert count > 20, "the bodies are not fired, or the machine stands still"


class Planted(HelloReceiver):
    """Hello with a bug in reading or in proving."""

    def __init__(self, bug: Callable[[NormalisedEvent, object], object]) -> None:
        self._bug = bug

    def parse(self, webhook: VerifiedWebhook, connection: OpenConnection) -> list[NormalisedEvent]:
        (event,) = super().parse(webhook, connection)
        found = self._bug(event, find_object(webhook.body) or {})
        return found if isinstance(found, list) else [event]


def _indexes(event: NormalisedEvent, body: object) -> object:
    return event.kind is EventKind.TEXT and isinstance(body, dict) and body["from"]


def _keeps_the_nul(event: NormalisedEvent, body: object) -> object:
    text = value_at(body, "text")
    return [replace(event, text=text)] if isinstance(text, str) else None


def _believes_any_number(event: NormalisedEvent, body: object) -> object:
    number = value_at(body, "id")
    return [replace(event, message_id=str(number))] if isinstance(number, int) else None


def _forgets_to_answer(event: NormalisedEvent, body: object) -> object:
    return [] if event.kind is EventKind.UNSUPPORTED else None


def _has_no_end(event: NormalisedEvent, body: object) -> object:
    text = value_at(body, "text")
    return [replace(event, event_key=text)] if isinstance(text, str) and text else None


def _takes_its_time(event: NormalisedEvent, body: object) -> object:
    return sum(range(40_000_000)) if isinstance(value_at(body, "from"), list) else None


@pytest.mark.parametrize(
    "bug", [_indexes, _keeps_the_nul, _believes_any_number, _forgets_to_answer, _has_no_end, _takes_its_time]
)
def test_a_planted_bug_is_found(
    bug: Callable[[NormalisedEvent, object], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fuzz that finds nothing must mean that nothing is there."""
    monkeypatch.setattr("tests.fuzz.rules.PATIENCE_S", 0.3)
    _, broken = run(_hello(Planted(bug)), seed=1, cases=5000)
    assert broken is not None
    assert "--number" in broken.told()


class Careless(HelloReceiver):
    """Hello that compares the secret by hand, in ASCII."""

    def verify(self, request: RawWebhook, connection: OpenConnection, *, now: datetime) -> VerifiedWebhook:
        request.headers["x-hello-secret"].encode("ascii")
        return super().verify(request, connection, now=now)


class Splitting(HelloReceiver):
    """Hello that makes a batch of everything, with names that its parts do not know."""

    def verify(self, request: RawWebhook, connection: OpenConnection, *, now: datetime) -> VerifiedWebhook:
        whole = super().verify(request, connection, now=now)
        return replace(whole, split=(replace(whole, natural_key="a"), replace(whole, natural_key="b")))


@pytest.mark.parametrize(("receiver", "seen"), [(Careless(), "UnicodeEncodeError"), (Splitting(), "two names")])
def test_a_bug_before_parsing_is_found(receiver: HelloReceiver, seen: str) -> None:
    """The proof and the taking apart are read by strangers' bodies as well."""
    _, broken = run(_hello(receiver), seed=1, cases=500)
    assert broken is not None
    assert seen in broken.trace


def test_hello_itself_keeps_every_rule() -> None:
    """What is copied begins right; and the planted bugs are the bugs that are found."""
    assert run(_hello(HelloReceiver()), seed=1, cases=500) == (500, None)


def test_a_seed_gives_the_same_bodies() -> None:
    """A failure of the night can be looked at in the morning."""
    seeds = fixtures("hello")
    first, again = Random(7), Random(7)  # noqa: S311 - no secret is made here
    assert [mutated(first, seeds) for _ in range(9)] == [mutated(again, seeds) for _ in range(9)]


def _hello(receiver: HelloReceiver) -> Target:
    connection = open_connection("hello", secrets={"webhook_secret": "demo-secret"})
    assert INTEGRATION.manifest.kind == "hello"
    return Target(
        "hello",
        receiver,
        connection,
        lambda body: RawWebhook("POST", {"x-hello-secret": "demo-secret"}, body),
        fixtures("hello"),
    )
