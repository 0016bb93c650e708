"""How the connection stands at Meta: findings about the token, the account, what is subscribed and where Meta posts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from leadgate.intake.untrusted import text_at, value_at
from leadgate.integrations.instagram.errors import to_failure
from leadgate.integrations.instagram.settings import USER_NAME
from leadgate.model.connections import Finding, FindingState
from leadgate.wire.client import Answered, Call
from leadgate.wire.graph import TokenFacts, is_ok
from leadgate.wire.graph_webhooks import id_at, objects_in

APP_FIELDS = ("messages", "messaging_postbacks", "messaging_seen", "message_reactions", "messaging_referral")
"""What we want to hear of Instagram. Echoes come inside `messages`."""

PAGE_FIELDS = ("messages", "messaging_postbacks", "message_reactions")
"""What the Facebook page of the account is subscribed to: the fields that pages know by the same names."""

NEEDED_SCOPES = frozenset({"instagram_basic", "instagram_manage_messages", "pages_manage_metadata"})
"""Of a page's token; that of an Instagram login cannot be asked."""

EXPIRES_SOON = timedelta(days=14)
OBJECT = "instagram"
_URL_LIMIT = 2048
_REGISTER = "Set LEADGATE_PUBLIC_URL and run `leadgate connections check`: it registers our address."


def failed_finding(answer: Call) -> Finding:
    """Why a question was not answered."""
    code = to_failure(answer).code
    match code:
        case "instagram.token_dead":
            text = "Meta does not take this token."
            cure = "Make a new one and set it; a token that begins with IG needs api_base https://graph.instagram.com."
        case "instagram.permission_missing" | "instagram.not_permitted":
            text, cure = (
                "The token may not do this.",
                "Give the app the permissions for messages and make the token anew.",
            )
        case _:
            text, cure = "Meta could not be asked.", "Check the network of the server, HTTPS_PROXY and api_base."
    return Finding(code, FindingState.FAIL, text, cure)


def account_findings(answer: Call, ours: tuple[str, ...]) -> list[Finding]:
    """Is the token alive, and is it for the account of the settings?"""
    if not isinstance(answer, Answered) or not is_ok(answer):
        return [failed_finding(answer)]
    found = [Finding("instagram.token_good", FindingState.OK, "The token is good.")]
    account = id_at(answer.body, "user_id") or id_at(answer.body, "instagram_business_account", "id")
    if account is None:
        text = "No professional Instagram account is linked to the page of this token."
        cure = "Link the account to the page in the settings of the page, and make the token for that page."
        found.append(Finding("instagram.account_not_linked", FindingState.FAIL, text, cure))
    elif ours and account not in ours:
        text = "The token is for another account than account_ids names."
        found.append(
            Finding("instagram.account_elsewhere", FindingState.FAIL, text, "Compare account_ids and the token.")
        )
    return found


def learned_from(answer: Call) -> Mapping[str, str]:
    """The name of the account, which links are made of."""
    body = answer.body if isinstance(answer, Answered) else {}
    name = text_at(body, "username") or text_at(body, "instagram_business_account", "username")
    return {USER_NAME: name} if name else {}


def token_findings(facts: TokenFacts | None, *, now: datetime) -> list[Finding]:
    """What Meta tells of the token beyond that it works; nothing when Meta does not tell."""
    if facts is None:
        return []
    found = []
    if facts.scopes and not facts.scopes >= NEEDED_SCOPES:
        text = f"The token lacks {', '.join(sorted(NEEDED_SCOPES - facts.scopes))}."
        cure = "Make a token with these permissions and set it with `leadgate secrets set`."
        found.append(Finding("instagram.permission_missing", FindingState.FAIL, text, cure))
    if facts.expires_at is not None and facts.expires_at - now < EXPIRES_SOON:
        text = f"The token expires on {facts.expires_at.date().isoformat()}."
        cure = "Make a page token of a system user, which never expires, and set it with `leadgate secrets set`."
        found.append(Finding("instagram.token_expires", FindingState.WARN, text, cure))
    return found


def subscription_finding(answer: Call, wanted: Iterable[str]) -> Finding:
    """Does our app hear this account?"""
    if not isinstance(answer, Answered) or not is_ok(answer):
        return failed_finding(answer)
    heard = {
        field for app in objects_in(answer.body.get("data")) for field in _texts(value_at(app, "subscribed_fields"))
    }
    if set(wanted) <= heard:
        return Finding("instagram.subscribed", FindingState.OK, "The app hears this account.")
    text = "The app does not hear all of this account that we want."
    return Finding("instagram.not_subscribed", FindingState.FAIL, text, _REGISTER, needs_registration=True)


def find_callback(answer: Call) -> str | None:
    """Where the app's Instagram webhooks go; empty when nowhere, None when Meta does not tell."""
    if not isinstance(answer, Answered) or not is_ok(answer):
        return None
    for subscription in objects_in(answer.body.get("data")):
        if text_at(subscription, "object") == OBJECT and subscription.get("active") is not False:
            return text_at(subscription, "callback_url", limit=_URL_LIMIT) or ""
    return ""


def is_ours(url: str | None, connection_id: str) -> bool:
    """The address is that of this connection."""
    return url is not None and url.endswith(f"/webhooks/instagram/{connection_id}")


def address_finding(url: str | None, *, connection_id: str) -> Finding:
    """Does Meta post to this connection?"""
    if url is None:
        return ADDRESS_BY_HAND
    if is_ours(url, connection_id):
        return WEBHOOK_SET
    if not url:
        text = "Meta posts nowhere: nothing arrives."
        return Finding("instagram.webhook_not_set", FindingState.FAIL, text, _REGISTER, needs_registration=True)
    text = "Meta posts to another address: another program uses this app."
    return Finding("instagram.webhook_elsewhere", FindingState.FAIL, text, _REGISTER, needs_registration=True)


def subscribed_finding(answer: Call) -> Finding:
    """Did Meta subscribe our app to the account?"""
    if not is_ok(answer):
        return failed_finding(answer)
    return Finding("instagram.subscribed", FindingState.OK, "The app hears this account.")


def registration_finding(answer: Call) -> Finding:
    """Did Meta take our address? It calls the address first, so the gateway must be running and reachable."""
    if is_ok(answer):
        return WEBHOOK_SET
    failure = to_failure(answer)
    if failure.code in {"instagram.unreachable", "instagram.answer_lost", "instagram.answer_unreadable"}:
        return failed_finding(answer)
    text = "Meta did not take the address: it calls it first and wants the verify token back."
    cure = "See that the gateway runs and that LEADGATE_PUBLIC_URL opens from the internet over https; the next check tries again."
    # No failure: a connection that is just being made is not known to the running gateway yet, and Meta was told no.
    return Finding("instagram.address_refused", FindingState.WARN, text, cure, needs_registration=True)


def _texts(value: object) -> list[str]:
    """A list of names, which Meta also writes as objects with a `name`."""
    items = value if isinstance(value, list) else []
    names = (text_at(item, "name") if isinstance(item, dict) else item for item in items)
    return [name for name in names if isinstance(name, str)]


WEBHOOK_SET = Finding("instagram.webhook_set", FindingState.OK, "Meta posts to this connection.")
ADDRESS_BY_HAND = Finding(
    "instagram.address_by_hand",
    FindingState.OK,
    "Meta does not tell us where it posts: the callback address and the verify token are set by hand in the app.",
)
VERIFY_TOKEN_MISSING = Finding(
    "instagram.verify_token_missing", FindingState.FAIL, "The connection has no verify token.", "Set verify_token."
)
