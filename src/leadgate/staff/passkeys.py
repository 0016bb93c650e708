"""Passkeys (WebAuthn): asked for, checked, kept. The library checks what a browser answers; here stands what is asked.

A passkey must verify its person (a finger, a face, a PIN), so it is two proofs at once and signs in by itself. It is bound to the
host's name, so none works on a page that only looks like ours. Attestation is not asked for: which maker built it tells us nothing
that we would act on.

The library is loaded when somebody uses a passkey: it takes longer than many a command.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from leadgate.errors import AccessDeniedError
from leadgate.model.staff import Staff
from leadgate.ports.clock import IdSource
from leadgate.ports.stores import StoredChallenge, StoredPasskey, Transaction
from leadgate.staff.tickets import (
    CHALLENGE_LIFE,
    PASSKEY_ENROLMENT,
    PASSKEY_SIGN_IN,
    hash_token,
    random_bytes,
)

if TYPE_CHECKING:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

MAX_PASSKEYS = 20
MAX_ANSWER_LENGTH = 16_000
MAX_NAME_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Site:
    """Which site passkeys belong to: its host's name, and the origin that browsers tell."""

    host: str
    origin: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What a browser is asked: the ticket that must come back with the answer, and options as JSON."""

    ticket: str
    options: str


class Passkeys:
    """The passkeys of a salon's people, inside transactions."""

    def __init__(self, ids: IdSource, *, salon: str) -> None:
        """`salon` is the name that a browser shows."""
        self._ids = ids
        self._salon = salon

    def ask_to_enrol(self, tx: Transaction, staff: Staff, site: Site, *, at: datetime) -> Asked:
        """Ask for a new passkey, which must be none of those that the person has."""
        from webauthn import generate_registration_options, options_to_json
        from webauthn.helpers.structs import (
            AuthenticatorSelectionCriteria,
            ResidentKeyRequirement,
            UserVerificationRequirement,
        )

        ticket, challenge = self._ids.token(), random_bytes(self._ids.token(), "challenge")
        options = generate_registration_options(
            rp_id=site.host,
            rp_name=self._salon,
            user_name=staff.name,
            user_id=staff.staff_id.encode(),
            challenge=challenge,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=_described(tx.factors.passkeys(staff.staff_id)),
        )
        self._keep(tx, ticket, challenge, kind=PASSKEY_ENROLMENT, staff_id=staff.staff_id, at=at)
        return Asked(ticket, options_to_json(options))

    def enrol(
        self,
        tx: Transaction,
        staff: Staff,
        site: Site,
        asked: StoredChallenge | None,
        *,
        answer: str,
        name: str,
        at: datetime,
    ) -> StoredPasskey:
        """Keep the passkey that a browser made.

        Raises:
            AccessDeniedError: it is not what was asked for, or was asked too long ago (`staff.passkey_refused`).
            ConflictError: it is known already (`staff.passkey_known`).
        """
        from webauthn import verify_registration_response
        from webauthn.helpers.exceptions import WebAuthnException

        is_asked = asked is not None and asked.staff_id == staff.staff_id
        if asked is None or not is_asked or len(tx.factors.passkeys(staff.staff_id)) >= MAX_PASSKEYS:
            raise _refusal()
        try:
            made = verify_registration_response(
                credential=_read(answer),
                expected_challenge=asked.challenge,
                expected_rp_id=site.host,
                expected_origin=site.origin,
                require_user_verification=True,
            )
        except WebAuthnException:
            raise _refusal() from None
        passkey = StoredPasskey(
            credential_id=made.credential_id,
            passkey_id=self._ids.new("key"),
            staff_id=staff.staff_id,
            name=" ".join(name.split())[:MAX_NAME_LENGTH],
            public_key=made.credential_public_key,
            sign_count=made.sign_count,
            created_at=at,
            last_used_at=None,
        )
        tx.factors.add_passkey(passkey)
        return passkey

    def ask_to_prove(self, tx: Transaction, site: Site, *, staff_id: str | None, at: datetime) -> Asked:
        """Ask for a passkey: of this person, or of anybody when nobody is named."""
        from webauthn import generate_authentication_options, options_to_json
        from webauthn.helpers.structs import UserVerificationRequirement

        ticket, challenge = self._ids.token(), random_bytes(self._ids.token(), "challenge")
        options = generate_authentication_options(
            rp_id=site.host,
            challenge=challenge,
            allow_credentials=_described(tx.factors.passkeys(staff_id)) if staff_id else [],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        self._keep(tx, ticket, challenge, kind=PASSKEY_SIGN_IN, staff_id=staff_id, at=at)
        return Asked(ticket, options_to_json(options))

    def take(
        self, tx: Transaction, ticket: str, *, at: datetime, kind: str = PASSKEY_SIGN_IN
    ) -> StoredChallenge | None:
        """What was asked, once. In a unit of its own: whatever becomes of the answer, the ticket is worth nothing after it."""
        return tx.factors.take_challenge(hash_token(ticket), kind=kind, now=at)

    def check(
        self, tx: Transaction, site: Site, asked: StoredChallenge | None, *, answer: str, at: datetime
    ) -> StoredPasskey:
        """Whose passkey answered.

        Raises:
            AccessDeniedError: none of ours, not what was asked, or seen with an older count (`staff.passkey_refused`).
        """
        from webauthn import verify_authentication_response
        from webauthn.helpers.exceptions import WebAuthnException

        credential = _read(answer)
        passkey = tx.factors.find_passkey(_credential_id(credential))
        if asked is None or passkey is None or asked.staff_id not in (None, passkey.staff_id):
            raise _refusal()
        try:
            shown = verify_authentication_response(
                credential=credential,
                expected_challenge=asked.challenge,
                expected_rp_id=site.host,
                expected_origin=site.origin,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
                require_user_verification=True,
            )
        except WebAuthnException:
            raise _refusal() from None
        used = replace(passkey, sign_count=shown.new_sign_count, last_used_at=at)
        if not tx.factors.use_passkey(passkey.credential_id, was=passkey.sign_count, sign_count=used.sign_count, at=at):
            raise _refusal()
        return used

    def _keep(
        self, tx: Transaction, ticket: str, challenge: bytes, *, kind: str, staff_id: str | None, at: datetime
    ) -> None:
        asked = StoredChallenge(kind=kind, staff_id=staff_id, challenge=challenge, expires_at=at + CHALLENGE_LIFE)
        tx.factors.add_challenge(hash_token(ticket), asked, now=at)


def _described(passkeys: Sequence[StoredPasskey]) -> list[PublicKeyCredentialDescriptor]:
    from webauthn.helpers.structs import PublicKeyCredentialDescriptor

    return [PublicKeyCredentialDescriptor(id=passkey.credential_id) for passkey in passkeys]


def _read(answer: str) -> dict[str, object]:
    """The browser's answer as an object of texts; what is no such object is refused before the library sees it."""
    try:
        credential = json.loads(answer) if len(answer) <= MAX_ANSWER_LENGTH else None
    except (ValueError, RecursionError):
        credential = None
    if not isinstance(credential, dict) or not isinstance(credential.get("response"), dict):
        raise _refusal()
    texts = [credential.get("id"), credential.get("rawId"), *credential["response"].values()]
    if not all(isinstance(text, str | list | None) for text in texts):
        raise _refusal()
    return credential


def _credential_id(credential: dict[str, object]) -> bytes:
    from webauthn.helpers import base64url_to_bytes

    try:
        return base64url_to_bytes(str(credential.get("id")))
    except ValueError:
        raise _refusal() from None


def _refusal() -> AccessDeniedError:
    return AccessDeniedError(
        "This passkey was not accepted.", code="staff.passkey_refused", hint="Try again, or sign in by password."
    )
