"""What was acknowledged against what stands in the CRM. Pure: two lists in, a verdict out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from proof.traffic import Acknowledged

_EVENT = re.compile(r"evt_[0-9A-Z]{26}")


@dataclass(frozen=True, slots=True)
class Balance:
    """What is missing and what is there twice; each line names one thing.

    Attributes:
        entries: timeline entries found.
        leads: leads found.
    """

    lost: Sequence[str]
    doubled: Sequence[str]
    entries: int
    leads: int

    @property
    def is_even(self) -> bool:
        """True when everything is there exactly once."""
        return not self.lost and not self.doubled


def strike_balance(acknowledged: Acknowledged, leads: Sequence[Mapping[str, Any]]) -> Balance:
    """Compare.

    Every entry in a timeline ends with the id of its event, so each acknowledged lead is found by the id that its sender got,
    and each message of a chat by its own words. Every person has one lead, however often she wrote.

    Args:
        acknowledged: what the senders noted.
        leads: `/leads.json` of the portal.
    """
    texts = [str(entry["text"]) for lead in leads for entry in lead["timeline"]]
    events = Counter(found for text in texts for found in _EVENT.findall(text))
    words = Counter({word: sum(word in text for text in texts) for word in acknowledged.words})
    people = Counter(str(lead["phone"]) for lead in leads)
    origins = Counter(str(lead["origin_id"]) for lead in leads)
    lost = [f"lead {event}" for event in acknowledged.leads if not events[event]]
    lost += [f"message {word}" for word in sorted(acknowledged.words) if not words[word]]
    lost += [f"client {client}" for client in sorted(acknowledged.clients) if not people[client]]
    missing = len(acknowledged.leads) + acknowledged.chat_entries - len(events)
    lost += [f"{missing} entries"] if missing > 0 and not lost else []
    counted = {"entry": events, "message": words, "client": people, "origin": origins}
    doubled = [f"{what} {key} x{n}" for what, counts in counted.items() for key, n in counts.items() if n > 1]
    doubled += [f"{-missing} entries nobody acknowledged"] if missing < 0 else []
    return Balance(lost, doubled, sum(events.values()), len(leads))


def repeated_replies(sent: Sequence[Mapping[str, object]]) -> list[str]:
    """Replies that a client saw twice.

    The bot's first four replies of a conversation differ from one another; later ones are alike and are not judged here
    but by their number (`campaign`).
    """
    seen = Counter((reply["chat_id"], str(reply["text"])) for reply in sent)
    return [f"reply x{count} in a chat" for (_, text), count in seen.items() if count > 1 and "Передали" not in text]


def reply_excess(sent: int, states: Mapping[tuple[str, str], int]) -> int:
    """How many more messages reached the messenger than our ledger has calls for; above zero means that some went twice."""
    accounted = sum(
        count for (kind, state), count in states.items() if kind == "message.send" and state in {"done", "uncertain"}
    )
    return max(0, sent - accounted)
