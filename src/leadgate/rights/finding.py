"""Finding a person by what somebody knows of them. Learns nothing; an error never repeats what was asked for."""

from __future__ import annotations

from collections.abc import Iterator

from leadgate.crm.identity import Identities
from leadgate.errors import ConflictError, NotFoundError
from leadgate.intake.phones import find_e164
from leadgate.ports.stores import Transaction
from leadgate.vault.envelope import Vault

LONGEST_IDENTIFIER = 320
"""Of an e-mail address; nothing else is longer."""

_SENDER, _USERNAME = "sender:", "username:"


class Finder:
    """Looks in the blind indexes of every channel that there is."""

    def __init__(self, vault: Vault) -> None:
        """Make blind indexes with this vault."""
        self._vault = vault

    def get(self, tx: Transaction, identifier: str) -> str:
        """The subject that stands for the person with this phone (in any writing), e-mail, user name, id in a channel, or id.

        Raises:
            NotFoundError: nobody is known by it (`subject.unknown`).
            ConflictError: more than one person is (`subject.ambiguous`); the hint names their ids.
        """
        wanted = identifier.strip()
        found = list(dict.fromkeys(self._find(tx, wanted))) if 0 < len(wanted) <= LONGEST_IDENTIFIER else []
        if not found:
            raise NotFoundError(
                "Nobody is known by that.",
                code="subject.unknown",
                hint="Give a phone, an e-mail address, a user name, an id in a messenger, or an id of ours.",
            )
        if len(found) > 1:
            raise ConflictError(
                "Several people are known by that.",
                code="subject.ambiguous",
                hint=f"Choose one by id: {', '.join(found)}",
            )
        return found[0]

    def _find(self, tx: Transaction, wanted: str) -> Iterator[str]:
        kind, _, _ = wanted.partition("_")
        ours = None
        match kind:
            case "subj":
                ours = wanted if tx.persons.find(wanted) is not None else None
            case "lead":
                lead = tx.leads.find(wanted)
                ours = None if lead is None else lead.subject_id
            case "evt":
                event = tx.events.find(wanted)
                ours = None if event is None else event.subject_id
        if ours is not None:
            yield Identities.root(tx, ours)
            return
        for mark, value in self._marks(tx, wanted):
            found = tx.subjects.find_by(mark, self._vault.index(tx.workspace_id, mark, value))
            if found is not None:
                yield Identities.root(tx, found)

    @staticmethod
    def _marks(tx: Transaction, wanted: str) -> list[tuple[str, str]]:
        """Kinds of identifiers that this may be, with the value as it is kept there."""
        kinds = tx.persons.identifier_kinds()
        name = wanted.removeprefix("@").casefold()
        marks = [(kind, name) for kind in kinds if kind.startswith(_USERNAME)]
        if wanted.startswith("@"):
            return marks
        phone = find_e164(wanted)
        if phone is not None:
            marks.append(("phone", phone))
        if "@" in wanted:
            marks.append(("email", wanted.casefold()))
        # WhatsApp's id of a person is their number without the plus.
        senders = {wanted, phone.removeprefix("+")} if phone is not None else {wanted}
        return marks + [(kind, sender) for kind in kinds if kind.startswith(_SENDER) for sender in sorted(senders)]
