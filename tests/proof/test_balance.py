"""The comparison at the end of a proof: a judge that cannot condemn proves nothing."""

from __future__ import annotations

from typing import Any

from proof.balance import repeated_replies, reply_excess, strike_balance
from proof.traffic import Acknowledged, Sent

FIRST, SECOND = "evt_" + "0" * 25 + "1", "evt_" + "0" * 25 + "2"


def acknowledged() -> Acknowledged:
    """One signed lead and one message of a chat, of two people."""
    return Acknowledged(
        leads={FIRST: Sent("+79000000001", "Заявка")},
        words={"Хочу на четверг.": "+79000000002"},
        chat_entries=1,
        clients={"+79000000001", "+79000000002"},
        answers=1,
    )


def lead(person: int, *entries: str) -> dict[str, Any]:
    """As `/leads.json` shows one."""
    timeline = [{"text": text} for text in entries]
    return {"phone": f"+7900000000{person}", "origin_id": f"ws:lead_{person}", "timeline": timeline}


WHOLE = [lead(1, f"Заявка\n{FIRST}"), lead(2, f"Хочу на четверг.\n{SECOND}")]


def test_everything_once_is_even() -> None:
    """The good case, or every other test here would pass for nothing."""
    assert strike_balance(acknowledged(), WHOLE).is_even


def test_an_acknowledged_lead_without_an_entry_is_lost() -> None:
    """The sender was told that we have it."""
    assert strike_balance(acknowledged(), [lead(1), WHOLE[1]]).lost == [f"lead {FIRST}"]


def test_a_message_whose_words_stand_nowhere_is_lost() -> None:
    """Chats get no event id back, so their words are looked for."""
    assert strike_balance(acknowledged(), [WHOLE[0], lead(2)]).lost == ["message Хочу на четверг."]


def test_a_person_without_a_lead_is_lost() -> None:
    """Even when her words ended in the history of somebody else."""
    balance = strike_balance(acknowledged(), [lead(1, *(e["text"] for one in WHOLE for e in one["timeline"]))])
    assert balance.lost == ["client +79000000002"]


def test_an_entry_two_leads_of_a_person_and_an_origin_id_that_come_twice_are_doubles() -> None:
    """Each of them is a manager who calls a client twice."""
    twice = strike_balance(acknowledged(), [lead(1, FIRST, FIRST), WHOLE[1]])
    assert twice.doubled == [f"entry {FIRST} x2"]
    again = strike_balance(acknowledged(), [*WHOLE, lead(2)])
    assert again.doubled == ["client +79000000002 x2", "origin ws:lead_2 x2"]


def test_an_entry_that_nobody_was_told_of_is_seen() -> None:
    """What was never acknowledged and still stands there came from a request that was carried out twice."""
    stranger = lead(1, FIRST, "evt_" + "0" * 25 + "3")
    assert strike_balance(acknowledged(), [stranger, WHOLE[1]]).doubled == ["1 entries nobody acknowledged"]


def test_replies_that_came_twice_are_counted() -> None:
    """By their words where they differ, by the number of calls where they do not."""
    greeting = {"chat_id": 5, "text": "Здравствуйте!"}
    assert repeated_replies([greeting, {**greeting, "chat_id": 6}]) == []
    assert repeated_replies([greeting, greeting]) == ["reply x2 in a chat"]
    states = {("message.send", "done"): 2, ("message.send", "uncertain"): 1, ("lead.create", "done"): 5}
    assert (reply_excess(3, states), reply_excess(4, states)) == (0, 1)
