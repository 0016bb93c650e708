"""The comparison at the end of a proof: a judge that cannot condemn proves nothing."""

from __future__ import annotations

from typing import Any

from proof.balance import Balance, Seen, repeated_replies, reply_faults, strike_balance
from proof.traffic import Acknowledged, Sent

FIRST, SECOND, THIRD = ("evt_" + "0" * 25 + number for number in "123")
PHONES = ("+79000000001", "+79000000002")


def acknowledged() -> Acknowledged:
    """One signed lead and one message of a chat, of two people."""
    return Acknowledged(
        leads={FIRST: Sent(PHONES[0], "Заявка")},
        words={"Хочу на четверг.": PHONES[1]},
        chat_entries=1,
        clients=set(PHONES),
        answers=1,
    )


def lead(person: int, *entries: str) -> dict[str, Any]:
    """As `/leads.json` shows one."""
    timeline = [{"text": text} for text in entries]
    return {"phone": PHONES[person - 1], "origin_id": f"ws:lead_{person}", "timeline": timeline}


WHOLE = [lead(1, f"Заявка\n{FIRST}"), lead(2, f"Хочу на четверг.\n{SECOND}")]


def strike(*leads: dict[str, Any], contacts: tuple[str, ...] = PHONES) -> Balance:
    """The balance of these leads and of contacts with these phones."""
    return strike_balance(acknowledged(), Seen(leads, [{"phones": [phone]} for phone in contacts]))


def test_everything_once_is_even() -> None:
    """The good case, or every other test here would pass for nothing."""
    assert strike(*WHOLE).is_even


def test_an_acknowledged_lead_without_an_entry_is_lost() -> None:
    """The sender was told that we have it."""
    assert strike(lead(1), WHOLE[1]).lost == [f"lead {FIRST}"]


def test_a_message_whose_words_stand_nowhere_is_lost() -> None:
    """Chats get no event id back, so their words are looked for."""
    assert strike(WHOLE[0], lead(2)).lost == ["message Хочу на четверг."]


def test_a_person_without_a_lead_is_lost() -> None:
    """Even when her words ended in the history of somebody else."""
    balance = strike(lead(1, *(e["text"] for one in WHOLE for e in one["timeline"])))
    assert balance.lost == ["message Хочу на четверг.: stands with somebody else", f"client {PHONES[1]}"]


def test_words_that_stand_with_somebody_else_or_were_changed_are_lost() -> None:
    """A manager calls the wrong client, or does not know why."""
    swapped = strike(lead(2, f"Заявка\n{FIRST}"), lead(1, f"Хочу на четверг.\n{SECOND}"))
    wrong = f"lead {FIRST}: stands with somebody else, or in other words"
    assert swapped.lost == [wrong, "message Хочу на четверг.: stands with somebody else"]
    assert strike(lead(1, f"Другое\n{FIRST}"), WHOLE[1]).lost == [wrong]


def test_an_entry_two_leads_of_a_person_and_an_origin_id_that_come_twice_are_doubles() -> None:
    """Each of them is a manager who calls a client twice."""
    twice = strike(lead(1, f"Заявка {FIRST}", f"Заявка {FIRST}"), WHOLE[1])
    assert twice.doubled == [f"entry {FIRST} x2"]
    again = strike(*WHOLE, lead(2))
    assert again.doubled == [f"client {PHONES[1]} x2", "origin ws:lead_2 x2"]


def test_a_person_with_two_contacts_is_doubled() -> None:
    """Her history is torn apart."""
    assert strike(*WHOLE, contacts=(*PHONES, PHONES[0])).doubled == [f"contact {PHONES[0]} x2"]


def test_an_entry_that_nobody_was_told_of_is_seen() -> None:
    """What was never acknowledged and still stands there came from a request that was carried out twice."""
    stranger = lead(1, f"Заявка {FIRST}", THIRD)
    assert strike(stranger, WHOLE[1]).doubled == ["1 entries nobody acknowledged"]
    nameless = lead(1, f"Заявка {FIRST}", "Заявка")
    assert strike(nameless, WHOLE[1]).doubled == [f"an entry of {PHONES[0]} without an event"]


def test_messages_of_a_client_that_stand_in_another_order_are_seen() -> None:
    """«Нет, в пятницу» before «Хочу на четверг» is another wish."""
    told = acknowledged()
    told.words["Нет, в пятницу."] = PHONES[1]
    told.chat_entries += 1
    seen = Seen([WHOLE[0], lead(2, f"Нет, в пятницу.\n{THIRD}", f"Хочу на четверг.\n{SECOND}")], [])
    balance = strike_balance(told, seen)
    assert (balance.lost, balance.misordered) == ([], ["message Нет, в пятницу. stands before Хочу на четверг."])
    assert not balance.is_even


def test_replies_that_came_twice_are_counted() -> None:
    """By their words where they differ, by the number of calls where they do not."""
    greeting = {"chat_id": 5, "text": "Здравствуйте!"}
    assert repeated_replies([greeting, {**greeting, "chat_id": 6}]) == []
    assert repeated_replies([greeting, greeting]) == ["reply x2 in a chat"]
    states = {("message.send", "done"): 2, ("message.send", "uncertain"): 1, ("lead.create", "done"): 5}
    assert reply_faults(3, states, answers=3) == []
    assert reply_faults(4, states, answers=3) == ["1 replies more than calls"]


def test_replies_that_never_went_are_counted() -> None:
    """A client who is not answered goes to somebody else."""
    states = {("message.send", "done"): 2, ("message.send", "uncertain"): 1}
    assert reply_faults(1, states, answers=3) == ["1 replies that are called done and were never sent"]
    assert reply_faults(2, states, answers=4) == ["1 messages without a reply"]
