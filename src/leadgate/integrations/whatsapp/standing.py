"""How the connection stands at Meta: findings about the token, the numbers, where Meta posts, and the templates. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from leadgate.intake.phones import find_e164
from leadgate.intake.untrusted import object_at, text_at
from leadgate.integrations.whatsapp.errors import to_failure
from leadgate.integrations.whatsapp.settings import PHONE, Template
from leadgate.model.connections import Finding, FindingState
from leadgate.wire.client import Answered, Call
from leadgate.wire.graph import TokenFacts, is_ok
from leadgate.wire.graph_webhooks import objects_in

NEEDED_SCOPES = frozenset({"whatsapp_business_messaging", "whatsapp_business_management"})
"""To send and receive, and to subscribe and see templates. More than this the token should not carry."""

EXPIRES_SOON = timedelta(days=14)
_URL_LIMIT = 2048
_LEVELS = ("phone_number", "whatsapp_business_account", "application")
"""Where an address may be set at Meta, the one that wins first."""

_REGISTER = "Set LEADGATE_PUBLIC_URL and run `leadgate connections check`: it registers our address."


def token_findings(facts: TokenFacts | None, *, now: datetime) -> list[Finding]:
    """What Meta tells of the token beyond that it works; nothing when Meta does not tell."""
    if facts is None:
        return []
    found = []
    if facts.scopes and not facts.scopes >= NEEDED_SCOPES:
        text = f"The token lacks {', '.join(sorted(NEEDED_SCOPES - facts.scopes))}."
        cure = "Make a token of the system user with both permissions and connect anew."
        found.append(Finding("whatsapp.permission_missing", FindingState.FAIL, text, cure))
    if facts.expires_at is not None and facts.expires_at - now < EXPIRES_SOON:
        text = f"The token expires on {facts.expires_at.date().isoformat()}."
        cure = "Make a token of a system user that never expires and set it with `leadgate secrets set`."
        found.append(Finding("whatsapp.token_expires", FindingState.WARN, text, cure))
    return found


def failed_finding(answer: Call) -> Finding:
    """Why the first question was not answered."""
    code = to_failure(answer).code
    match code:
        case "whatsapp.token_dead":
            text, cure = "Meta does not take this token.", "Make a new token of the system user and set it."
        case "whatsapp.permission_missing":
            text, cure = (
                "The token may not do this.",
                "Give the system user this WhatsApp account and both permissions.",
            )
        case "whatsapp.bad_request" | "whatsapp.refused":
            text, cure = (
                "Meta does not know this id, or hides it from the token.",
                "Compare phone_number_ids and waba_id.",
            )
        case _:
            text, cure = "Meta could not be asked.", "Check the network of the server, HTTPS_PROXY and api_base."
    return Finding(code, FindingState.FAIL, text, cure)


def number_findings(answer: Call, *, connection_id: str) -> list[Finding]:
    """One number of the salon: is it there, in good standing, and where does Meta post what comes to it?"""
    if not isinstance(answer, Answered) or not is_ok(answer):
        return [failed_finding(answer)]
    found = [_address_finding(answer.body, connection_id)]
    if text_at(answer.body, "quality_rating") in {"YELLOW", "RED"}:
        text = "Clients complain about messages from this number; Meta may limit it."
        cure = "Send less to people who did not ask, and look at the number in WhatsApp Manager."
        found.append(Finding("whatsapp.quality_low", FindingState.WARN, text, cure))
    if text_at(answer.body, "status") in {"FLAGGED", "RESTRICTED", "BANNED", "DISCONNECTED"}:
        text = "Meta restricts this number."
        found.append(Finding("whatsapp.number_restricted", FindingState.FAIL, text, "Look at it in WhatsApp Manager."))
    return found


def _address_finding(number: Mapping[str, object], connection_id: str) -> Finding:
    set_at = object_at(number, "webhook_configuration")
    url = next((url for level in _LEVELS if (url := text_at(set_at, level, limit=_URL_LIMIT))), None)
    if url is None:
        text = "Meta posts nowhere: nothing arrives."
        return Finding("whatsapp.webhook_not_set", FindingState.FAIL, text, _REGISTER, needs_registration=True)
    if not url.endswith(f"/webhooks/whatsapp/{connection_id}"):
        text = "Meta posts to another address: nothing arrives here."
        return Finding("whatsapp.webhook_elsewhere", FindingState.FAIL, text, _REGISTER, needs_registration=True)
    return Finding("whatsapp.webhook_set", FindingState.OK, "Meta posts to this connection.")


def learned_from(answer: Call) -> Mapping[str, str]:
    """The number as clients dial it, which links are made of."""
    shown = text_at(answer.body, "display_phone_number") if isinstance(answer, Answered) else None
    phone = find_e164(shown or "")
    return {PHONE: phone} if phone else {}


def is_subscribed(answer: Call, app_id: str | None) -> bool:
    """Our app hears this WhatsApp account; taken as true when Meta does not tell which app is ours."""
    apps = objects_in(answer.body.get("data")) if isinstance(answer, Answered) else []
    return any(app_id in (None, text_at(app, "whatsapp_business_api_data", "id")) for app in apps)


def subscription_finding(answer: Call, app_id: str | None) -> Finding:
    """Does our app hear this WhatsApp account?"""
    if not is_ok(answer):
        return failed_finding(answer)
    if is_subscribed(answer, app_id):
        return Finding("whatsapp.subscribed", FindingState.OK, "The app hears this WhatsApp account.")
    text = "The app does not hear this WhatsApp account: nothing arrives."
    return Finding("whatsapp.not_subscribed", FindingState.FAIL, text, _REGISTER, needs_registration=True)


def template_findings(answer: Call, wanted: Iterable[Template]) -> list[Finding]:
    """Are the templates that the settings name approved?"""
    if not isinstance(answer, Answered) or not is_ok(answer):
        return [failed_finding(answer)]
    known = {
        (text_at(template, "name"), text_at(template, "language")): text_at(template, "status")
        for template in objects_in(answer.body.get("data"))
    }
    cure = "Look at it in WhatsApp Manager, and at the setting templates."
    found = []
    for name, language in sorted(set(wanted)):
        if (name, language) not in known:
            text = f"There is no template {name} in the language {language}."
            found.append(Finding("whatsapp.template_missing", FindingState.WARN, text, cure))
        elif known[name, language] != "APPROVED":
            text = f"The template {name} ({language}) is not approved."
            found.append(Finding("whatsapp.template_not_approved", FindingState.WARN, text, cure))
    return found


def registration_finding(answer: Call) -> Finding:
    """Did Meta take our address? It asks the address itself first, so the gateway must be running and reachable."""
    if is_ok(answer):
        return Finding("whatsapp.webhook_set", FindingState.OK, "Meta posts to this connection.")
    code = to_failure(answer).code
    if code not in {"whatsapp.bad_request", "whatsapp.refused"}:
        return failed_finding(answer)
    text = "Meta did not take the address: it calls it first and wants the verify token back."
    cure = "See that the gateway runs and that LEADGATE_PUBLIC_URL opens from the internet over https; the next check tries again."
    # No failure: a connection that is just being made is not known to the running gateway yet, and Meta was told no.
    return Finding("whatsapp.address_refused", FindingState.WARN, text, cure, needs_registration=True)


TOKEN_GOOD = Finding("whatsapp.token_good", FindingState.OK, "The token is good.")
NUMBER_NOT_SET = Finding(
    "whatsapp.number_not_set",
    FindingState.FAIL,
    "The connection names neither a number nor a WhatsApp account.",
    "Set phone_number_ids and waba_id.",
)
ACCOUNT_NOT_SET = Finding(
    "whatsapp.account_not_set",
    FindingState.WARN,
    "Without waba_id Leadgate can neither subscribe to the account nor look at templates.",
    "Set waba_id.",
)
VERIFY_TOKEN_MISSING = Finding(
    "whatsapp.verify_token_missing", FindingState.FAIL, "The connection has no verify token.", "Set verify_token."
)
