from datetime import timedelta

import pytest

from leadgate.app.kept_answers import CLAIMED_FOR, KEPT_FOR, Answer, Claim, KeptAnswers, StillRunningError
from leadgate.errors import ConfigurationError, LeaseLostError
from leadgate.model.staff import Role
from leadgate.staff.tokens import ApiTokens
from leadgate.storage.sql_storage import SqlStorage
from leadgate.testing.connections import CountedIds, FixedClock
from leadgate.testing.journal import MemoryJournal

KEY, WISH, DONE = b"k" * 32, b"w" * 32, Answer(200, b"{}")


class Node:
    """One process that answers requests."""

    def __init__(self, storage: SqlStorage) -> None:
        self.storage = storage
        self.clock = FixedClock()
        self.answers = KeptAnswers(storage, clock=self.clock, ids=CountedIds())
        self.tokens = ApiTokens(storage, MemoryJournal(self.clock), clock=self.clock, ids=CountedIds(500))

    async def claim(self) -> Claim:
        claim = await self.answers.begin(KEY, WISH)
        assert isinstance(claim, Claim)
        return claim

    async def work(self, claim: Claim) -> None:
        """An effect that is one commit: a token is made."""
        with self.answers.joined(claim, lambda _: DONE):
            await self.tokens.create(role=Role.AUDITOR, days=1)

    async def effects(self) -> int:
        return len(await self.tokens.all())


@pytest.fixture
def node(storage: SqlStorage) -> Node:
    """On an empty workspace."""
    return Node(storage)


async def test_effect_and_answer_are_one_commit(node: Node) -> None:
    """A crash right after it must find both; the repeat gets the answer and has no effect."""
    await node.work(await node.claim())
    assert await node.answers.begin(KEY, WISH) == DONE
    assert await node.effects() == 1


async def test_another_request_may_not_use_the_key(node: Node) -> None:
    """It would get an answer to a question that it did not ask; running or answered."""
    claim = await node.claim()
    for is_answered in (False, True):
        if is_answered:
            await node.work(claim)
        with pytest.raises(ConfigurationError) as caught:
            await node.answers.begin(KEY, b"o" * 32)
        assert caught.value.code == "api.key_reused"


async def test_a_running_request_is_not_begun_again(node: Node) -> None:
    """It is told when to ask again."""
    await node.claim()
    node.clock.move(timedelta(seconds=20))
    with pytest.raises(StillRunningError) as caught:
        await node.answers.begin(KEY, WISH)
    assert caught.value.retry_after_s == 41


async def test_what_a_dead_node_began_is_taken_over(node: Node) -> None:
    """It died before its commit, so nothing happened; the repeat must not wait for a day."""
    await node.claim()
    node.clock.move(CLAIMED_FOR)
    await node.work(await node.claim())
    assert await node.effects() == 1


async def test_a_frozen_node_writes_nothing_after_a_take_over(node: Node) -> None:
    """Else the effect is there twice: this is why both are one commit."""
    frozen = await node.claim()
    node.clock.move(CLAIMED_FOR)
    await node.work(await node.claim())
    with pytest.raises(LeaseLostError):
        await node.work(frozen)
    with pytest.raises(LeaseLostError):
        await node.answers.finish(frozen, Answer(500, b""))
    assert await node.effects() == 1
    assert await node.answers.begin(KEY, WISH) == DONE


async def test_a_released_request_may_be_sent_again(node: Node) -> None:
    """The database was away for a moment: the same key must still work."""
    await node.answers.release(await node.claim())
    await node.claim()


async def test_a_key_is_free_after_a_day(node: Node) -> None:
    """And not a moment earlier."""
    await node.work(await node.claim())
    node.clock.move(KEPT_FOR)
    assert await node.answers.begin(KEY, WISH) == DONE
    node.clock.move(timedelta(seconds=1))
    await node.claim()
