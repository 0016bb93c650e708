"""What the fuzz begins with: true bodies of every channel and how its genuine requests look; its own tests know both."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from leadgate import registry
from leadgate.model.connections import OpenConnection
from leadgate.model.webhooks import RawWebhook
from leadgate.ports.channel import WebhookReceiver
from leadgate.testing.channel_suite import BatchSuite, ChannelSuite

INTEGRATIONS = Path(__file__).parents[1] / "integrations"


@dataclass(frozen=True, slots=True)
class Target:
    """One receiver under fire.

    Attributes:
        request: a genuine request with this body.
        seeds: true bodies.
    """

    kind: str
    receiver: WebhookReceiver
    connection: OpenConnection
    request: Callable[[bytes], RawWebhook]
    seeds: tuple[bytes, ...]


def fuzzed_kinds() -> tuple[str, ...]:
    """Every kind that receives."""
    return tuple(kind for kind in registry.kinds() if registry.get(kind).receiver is not None)


def find_target(kind: str) -> Target:
    """The receiver of a kind with its bodies.

    Raises:
        LookupError: `tests/integrations/{kind}/test_receive.py` has no `ChannelSuite`, so nobody knows how a request looks.
    """
    module = import_module(f"tests.integrations.{kind}.test_receive")
    for _, found in inspect.getmembers(module, inspect.isclass):
        if issubclass(found, ChannelSuite) and not inspect.isabstract(found):
            return target_of(found(), fixtures(kind))
    raise LookupError(f"{module.__name__} has no ChannelSuite")


def target_of(suite: ChannelSuite, bodies: tuple[bytes, ...]) -> Target:
    """What a channel's own suite knows, and these bodies besides."""
    own = [suite.text_body('"Здравствуйте"'), suite.text_body('"x"', event=2)]
    if isinstance(suite, BatchSuite):
        own.append(suite.batch_body((1, "101", "раз"), (2, "102", "два"), (3, "101", "три")))
    return Target(
        kind=suite.integration.manifest.kind,
        receiver=suite.receiver,
        connection=suite.connection(suite.first),
        request=lambda body: suite.request(body, secret=suite.first),
        seeds=(*own, *bodies),
    )


def fixtures(kind: str) -> tuple[bytes, ...]:
    """The bodies in a channel's folder, in the order of their names."""
    return tuple(path.read_bytes() for path in sorted((INTEGRATIONS / kind / "fixtures").glob("*.json")))
