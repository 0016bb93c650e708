"""Six figures of an app that counts time (TOTP, RFC 6238), and the codes on paper that stand in for it.

A code opens once: of the steps of time up to the last one that was taken none is taken again (RFC 6238, 5.2).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

import pyotp

from leadgate.model.secret import Secret
from leadgate.model.staff import Proof, Staff
from leadgate.ports.clock import IdSource
from leadgate.ports.stores import Transaction
from leadgate.staff.tickets import random_bytes
from leadgate.vault.envelope import SECRETS, Vault

STEP_S = 30
RECOVERY_CODES = 10
_FIGURES = 6
_DRIFT = (0, -1, 1)
"""Steps by which a phone's clock may be off, the likeliest first."""

_SECRET_LENGTH = 32
"""Of base32: 160 bits, as RFC 4226 recommends."""

_RECOVERY_LENGTH = 16
"""Of base32: 80 bits, so that a stolen copy of the hashes is not worth trying."""


class Codes:
    """The apps and papers of a salon's people, inside transactions."""

    def __init__(self, vault: Vault, ids: IdSource) -> None:
        """Secrets are sealed in this vault."""
        self._vault = vault
        self._ids = ids

    def enrol(self, tx: Transaction, staff_id: str, *, at: datetime) -> Secret:
        """Begin with a fresh secret, which is asked for only when a first code was right; it is shown this once."""
        secret = base64.b32encode(random_bytes(self._ids.token(), "totp"))[:_SECRET_LENGTH].decode()
        tx.factors.put_codes(staff_id, self._vault.seal(tx, SECRETS, _place(staff_id), secret.encode()), at=at)
        return Secret(secret)

    def confirm(self, tx: Transaction, staff_id: str, code: str, *, at: datetime) -> bool:
        """Ask for it from now on when this first code is right."""
        is_right = self._take(tx, staff_id, code, at=at)
        if is_right:
            tx.factors.confirm_codes(staff_id, at=at)
        return is_right

    def check(self, tx: Transaction, staff_id: str, code: str, *, at: datetime) -> Proof | None:
        """What the code proves, used up by it: one of the app, or one on paper; None when it is neither."""
        code = "".join(code.split()).replace("-", "")
        found = tx.factors.find_codes(staff_id)
        if found is not None and found.confirmed_at is not None and self._take(tx, staff_id, code, at=at):
            return Proof.CODE
        if len(code) == _RECOVERY_LENGTH and tx.factors.use_recovery(staff_id, _hash_recovery(staff_id, code)):
            return Proof.RECOVERY
        return None

    def new_recovery(self, tx: Transaction, staff_id: str) -> Sequence[str]:
        """Ten fresh codes for paper, shown this once; earlier ones are worth nothing from now on."""
        codes = [
            base64.b32encode(random_bytes(self._ids.token(), "recovery"))[:_RECOVERY_LENGTH].decode()
            for _ in range(RECOVERY_CODES)
        ]
        tx.factors.set_recovery(staff_id, [_hash_recovery(staff_id, code) for code in codes])
        return ["-".join(code[start : start + 4] for start in range(0, _RECOVERY_LENGTH, 4)) for code in codes]

    def _take(self, tx: Transaction, staff_id: str, code: str, *, at: datetime) -> bool:
        found = tx.factors.find_codes(staff_id)
        if found is None or len(code) != _FIGURES or not (code.isascii() and code.isdecimal()):
            return False
        secret = self._vault.open(tx, SECRETS, _place(staff_id), found.sealed_secret).decode()
        app, step = pyotp.TOTP(secret, interval=STEP_S), int(at.timestamp()) // STEP_S
        right = [step + drift for drift in _DRIFT if hmac.compare_digest(app.at((step + drift) * STEP_S), code)]
        return bool(right) and tx.factors.use_step(staff_id, right[0])


def enrolment_address(secret: Secret, staff: Staff, salon: str) -> Secret:
    """What an app reads to enrol: the `otpauth:` address with the names that it shows."""
    return Secret(pyotp.TOTP(secret.reveal(), interval=STEP_S).provisioning_uri(name=staff.name, issuer_name=salon))


def _place(staff_id: str) -> str:
    return f"staff_totp.secret:{staff_id}"


def _hash_recovery(staff_id: str, code: str) -> bytes:
    return hashlib.sha256(f"leadgate-recovery\0{staff_id}\0{code.upper()}".encode("utf-8", "surrogatepass")).digest()
