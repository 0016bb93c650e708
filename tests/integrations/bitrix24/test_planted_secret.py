from __future__ import annotations

import contextlib
import logging
import traceback
from collections.abc import Iterator

import pytest

from leadgate.errors import LeadgateError
from leadgate.model.secret import Secret
from leadgate.sandbox.bitrix24.faults import FaultName
from tests.integrations.bitrix24.house import ANNA, SECRET, House, create, entry, open_house, update

PERSONAL = ("+79000000001", "79000000001", "anna@example.org", "Анна", "Хочу стрижку")


class Ear(logging.Handler):
    """Keeps everything that is said to any logger."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(f"{record.name} {record.getMessage()} {record.__dict__!r}")


@pytest.fixture
def ear() -> Iterator[Ear]:
    """All loggers at DEBUG, those of the HTTP library by name."""
    listener = Ear()
    names = ["", "httpx", "httpcore", "httpcore.connection", "httpcore.http11", "asyncio", "leadgate"]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    logging.getLogger().addHandler(listener)
    yield listener
    logging.getLogger().removeHandler(listener)
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


async def exercise(house: House) -> str:
    """Everything our side does; all that it returns or raises, as text with tracebacks."""
    said: list[object] = []
    said += await house.deliver(create(), entry(), update())
    said += await house.crm.look_up([create(), entry(), update()])
    said += (await house.crm.check()).findings
    try:
        said.append(await house.crm.find_origins(["conn_1-evt_1"]))
    except LeadgateError as error:
        said += traceback.format_exception(error)
        said += _chain(error)
    return "\n".join(f"{item!r} {item!s}" for item in said)


def _chain(error: BaseException | None) -> list[object]:
    chain: list[object] = []
    while error is not None:
        chain += [repr(error), str(error), vars(error)]
        error = error.__cause__ or error.__context__
    return chain


@pytest.mark.parametrize("fault", ["none", *(name.value for name in FaultName if name is not FaultName.SLOW)])
async def test_the_address_of_the_webhook_is_never_said(ear: Ear, fault: str) -> None:
    """The address is a password: not in logs at DEBUG, not in outcomes, not in errors nor in what caused them."""
    async with open_house() as house:
        if fault != "none":
            house.sandbox.faults.add(fault, host="127.0.0.1:1")  # "moved" leads to a closed port of this machine
        said = await exercise(house)
        for text in (said, *ear.heard):
            assert SECRET not in text
        for text in (repr(house.crm), str(vars(house.crm))):
            assert SECRET not in text


async def test_what_clients_told_is_not_logged(ear: Ear) -> None:
    """Logs carry identifiers only; outcomes are stored and shown."""
    async with open_house() as house:
        house.sandbox.portal.strict_sources = True
        said = await exercise(house)
        for text in (said, *ear.heard):
            assert not any(word in text for word in PERSONAL)


async def test_the_ear_hears(ear: Ear) -> None:
    """The hunt must be able to fail: with the library's log switched on, the address is there."""
    async with open_house() as house:
        with loud():
            await house.crm.check()
        assert any(SECRET in text for text in ear.heard)
        assert ANNA.phone is not None


@contextlib.contextmanager
def loud() -> Iterator[None]:
    """Take our silence off httpx for a while."""
    logger = logging.getLogger("httpx")
    filters, logger.filters = logger.filters, []
    yield
    logger.filters = filters


def test_a_secret_shows_stars() -> None:
    """What the settings hold prints as stars."""
    assert SECRET not in repr(Secret(SECRET))
