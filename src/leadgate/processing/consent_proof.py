"""Proves the register of consents, or names the first line that does not fit.

Chain: each line's hash is computed anew from its columns and the line before. Text: the version hashes to what the line says.
Message: the words that stood in the client's chat are the version, byte by byte. Order: nothing was withdrawn that was never agreed
to. Journal: the audit journal, which lies apart, knows the same hashes, so that a register whose end was cut off or that was made
anew is found out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from leadgate.crm.consent.chain import hash_line
from leadgate.crm.consent.register import Register
from leadgate.crm.consent.texts import hash_text
from leadgate.crm.one_person import everyone, root
from leadgate.errors import TamperedError, UnknownKeyError
from leadgate.model.consents import ConsentPurpose, Decision, Proof
from leadgate.ports.stores import StoredConsent, Transaction
from leadgate.processing.chats import open_body
from leadgate.vault.envelope import Vault

FAULTS = CHAIN, TEXT, MESSAGE, ORDER, JOURNAL, MISSING = "chain", "text", "message", "order", "journal", "missing"


class Prover:
    """Reads the register from the first line to the last, some lines in each transaction."""

    def __init__(self, vault: Vault, register: Register, journaled: Mapping[int, str]) -> None:
        """`journaled`: the hash of each line, in hex, as the audit journal has it."""
        self._vault = vault
        self._register = register
        self._journaled = journaled
        self._counts: Counter[str] = Counter()
        self._agreed: set[tuple[str, ConsentPurpose]] = set()
        self._before = b""
        self._number = 0
        self._bad: tuple[int, str] | None = None

    @property
    def number(self) -> int:
        """The last line that was read."""
        return self._number

    def read(self, tx: Transaction, lines: Sequence[StoredConsent]) -> bool:
        """Check these, which follow those before; False when there is nothing more to find."""
        for line in lines:
            fault = self._find_fault(tx, line)
            if fault is not None:
                self._bad = (self._number + 1 if fault == MISSING else line.number, fault)
                return False
            self._number, self._before = line.number, line.record_hash
            self._counts["records"] += 1
        return bool(lines)

    def proof(self) -> Proof:
        """What was found."""
        last = max(self._journaled, default=0)
        if self._bad is None and last > self._number:
            self._bad = (self._number + 1, MISSING)
        number, fault = self._bad or (None, None)
        return Proof(
            records=self._counts["records"],
            matched=self._counts["matched"],
            gone=self._counts["gone"],
            told=self._counts["told"],
            wordless=self._counts["wordless"],
            journaled=self._counts["journaled"],
            bad_number=number,
            fault=fault,
            head=self._before.hex(),
        )

    def _find_fault(self, tx: Transaction, line: StoredConsent) -> str | None:
        if line.number != self._number + 1:
            return MISSING
        if hash_line(line, self._before) != line.record_hash:
            return CHAIN
        if line.number in self._journaled:
            if self._journaled[line.number] != line.record_hash.hex():
                return JOURNAL
            self._counts["journaled"] += 1
        try:
            self._register.details(tx, line)
        except TamperedError:
            return CHAIN
        return self._fault_of_order(tx, line) or self._fault_of_text(tx, line)

    def _fault_of_order(self, tx: Transaction, line: StoredConsent) -> str | None:
        key = (root(tx, line.subject_id), line.purpose)
        if line.decision.stands:
            self._agreed.add(key)
        return ORDER if line.decision is Decision.WITHDRAWN and key not in self._agreed else None

    def _fault_of_text(self, tx: Transaction, line: StoredConsent) -> str | None:
        if line.text_id is None or line.text_hash is None or line.message_id is None:
            if line.decision is Decision.GIVEN:
                return TEXT
            self._counts["told" if line.decision is Decision.TOLD else "wordless"] += 1
            return None
        text = tx.consents.find_text(line.text_id)
        if text is None or text.purpose is not line.purpose:
            return TEXT
        if not hash_text(text.text) == text.text_hash == line.text_hash:
            return TEXT
        return self._fault_of_message(tx, line, message_id=line.message_id)

    def _fault_of_message(self, tx: Transaction, line: StoredConsent, *, message_id: str) -> str | None:
        message = tx.conversations.find_message(message_id)
        if message is None:  # the term of chats is over
            self._counts["gone"] += 1
            return None
        if not message.outgoing or message.subject_id not in everyone(tx, line.subject_id):
            return MESSAGE
        try:
            body = open_body(self._vault, tx, message)
        except UnknownKeyError:  # the person was erased
            self._counts["gone"] += 1
            return None
        except TamperedError:
            return MESSAGE
        if hash_text(body.text) != line.text_hash:
            return MESSAGE
        self._counts["matched"] += 1
        return None
