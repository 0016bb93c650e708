"""What was acknowledged against what stands in the CRM. Pure: two lists in, a verdict out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from proof.traffic import Acknowledged

_EVENT = re.compile(r"evt_[0-9A-Z]{26}")


@dataclass(frozen=True, slots=True)
class Seen:
    """What stands in the CRM: `/leads.json` and `/contacts.json` of the portal."""

    leads: Sequence[Mapping[str, Any]]
    contacts: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Balance:
    """What is missing, what is there twice and what is out of order; each line names one thing.

    Attributes:
        entries: timeline entries found.
        leads: leads found.
    """

    lost: Sequence[str]
    doubled: Sequence[str]
    misordered: Sequence[str]
    entries: int
    leads: int

    @property
    def is_even(self) -> bool:
        """True when everything is there exactly once, and in order."""
        return not self.lost and not self.doubled and not self.misordered


def strike_balance(acknowledged: Acknowledged, seen: Seen) -> Balance:
    """Compare.

    Every entry in a timeline ends with the id of its event, so each acknowledged lead is found by the id that its sender got,
    and each message of a chat by its own words. It must stand with its person, in its own words: an entry in somebody else's
    lead is lost for the salon. Every person has one lead and one contact, however often she wrote.
    """
    entries = [(str(lead["phone"]), str(entry["text"])) for lead in seen.leads for entry in lead["timeline"]]
    events = Counter(found for _, text in entries for found in _EVENT.findall(text))
    words = Counter({word: sum(word in text for _, text in entries) for word in acknowledged.words})
    leads = Counter(str(lead["phone"]) for lead in seen.leads)
    lost = _lost(acknowledged, entries, leads)
    missing = len(acknowledged.leads) + acknowledged.chat_entries - len(events)
    lost += [f"{missing} entries"] if missing > 0 and not lost else []
    counted = {
        "entry": events,
        "message": words,
        "client": leads,
        "origin": Counter(str(lead["origin_id"]) for lead in seen.leads),
        "contact": Counter(phone for contact in seen.contacts for phone in contact["phones"]),
    }
    doubled = [f"{what} {key} x{n}" for what, counts in counted.items() for key, n in counts.items() if n > 1]
    doubled += [f"{-missing} entries nobody acknowledged"] if missing < 0 else []
    doubled += [f"an entry of {phone} without an event" for phone, text in entries if not _EVENT.search(text)]
    return Balance(lost, doubled, _misordered(acknowledged, entries), sum(events.values()), len(seen.leads))


def _lost(acknowledged: Acknowledged, entries: Sequence[tuple[str, str]], leads: Mapping[str, int]) -> list[str]:
    by_event = {found: (phone, text) for phone, text in entries for found in _EVENT.findall(text)}
    lost = []
    for event, sent in acknowledged.leads.items():
        phone, text = by_event.get(event, ("", ""))
        if not text:
            lost.append(f"lead {event}")
        elif phone != sent.phone or sent.words not in text:
            lost.append(f"lead {event}: stands with somebody else, or in other words")
    for word, phone in acknowledged.words.items():
        places = [place for place, text in entries if word in text]
        if not places:
            lost.append(f"message {word}")
        elif phone in acknowledged.clients and phone not in places:
            lost.append(f"message {word}: stands with somebody else")
    return lost + [f"client {client}" for client in sorted(acknowledged.clients) if not leads[client]]


def _misordered(acknowledged: Acknowledged, entries: Sequence[tuple[str, str]]) -> list[str]:
    """Each client's messages stand in the order in which she wrote them."""
    written: dict[str, list[str]] = {}
    for word, phone in acknowledged.words.items():
        written.setdefault(phone, []).append(word)
    texts = [text for _, text in entries]
    places = {word: next((n for n, text in enumerate(texts) if word in text), -1) for word in acknowledged.words}
    return [
        f"message {word} stands before {earlier}"
        for words in written.values()
        for earlier, word in pairwise(words)
        if 0 <= places[word] < places[earlier]
    ]


def repeated_replies(sent: Sequence[Mapping[str, object]]) -> list[str]:
    """Replies that a client saw twice.

    The bot's first replies of a conversation differ from one another; later ones are alike and are not judged here
    but by their number (`reply_faults`).
    """
    seen = Counter((reply["chat_id"], str(reply["text"])) for reply in sent)
    return [f"reply x{count} in a chat" for (_, text), count in seen.items() if count > 1 and "Передали" not in text]


def reply_faults(sent: int, states: Mapping[tuple[str, str], int], *, answers: int) -> list[str]:
    """What is wrong with the number of replies.

    Args:
        sent: how many reached the messenger.
        states: how many deliveries of each kind are in each state, by our ledger.
        answers: with how many messages what was acknowledged is to be answered.
    """
    counts = Counter({state: count for (kind, state), count in states.items() if kind == "message.send"})
    faults = []
    if (excess := sent - counts["done"] - counts["uncertain"]) > 0:
        faults.append(f"{excess} replies more than calls")
    if (unsent := counts["done"] - sent) > 0:
        faults.append(f"{unsent} replies that are called done and were never sent")
    if (unanswered := answers - counts.total()) > 0:
        faults.append(f"{unanswered} messages without a reply")
    return faults
