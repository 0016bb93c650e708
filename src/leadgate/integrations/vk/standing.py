"""How the connection stands at VK: findings from what its methods answer. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

from leadgate.intake.signatures import matches_any
from leadgate.intake.untrusted import identifier_at, text_at, value_at
from leadgate.integrations.vk.errors import to_failure
from leadgate.integrations.vk.settings import CONFIRMATION, WEBHOOK_SECRET, find_group_id
from leadgate.integrations.vk.wire import API_VERSION, error_number, is_done
from leadgate.model.connections import CheckReport, Finding, FindingState, OpenConnection
from leadgate.wire.client import Answered, Call

WANTED_EVENTS = (
    "message_new",
    "message_reply",
    "message_edit",
    "message_allow",
    "message_deny",
    "message_event",
    "message_read",
    "message_reaction_event",
)
"""What we ask to hear. Group conversations come as `message_new` too and are ignored."""

_CURES = {
    "vk.token_refused": "Make a new key at VK (Manage → API usage → Access tokens) and set it: leadgate secrets set.",
    "vk.right_missing": "Make a new key at VK with the right to messages of the community, and set it: leadgate secrets set.",
    "vk.captcha": "Open the community in a browser and answer what VK asks there.",
    "vk.not_the_api": "Check the setting api_base.",
    "vk.unexpected_redirect": "Check the setting api_base and the network of the server.",
}
_LIMIT_ERROR = 2000

SECRET_MISSING = Finding(
    "vk.secret_missing", FindingState.FAIL, "The connection has no secret key.", "Set one: leadgate secrets set."
)
"""Without one nothing that arrives could be proven."""


def path_of(connection: OpenConnection) -> str:
    """How our address ends."""
    return f"/webhooks/vk/{connection.connection.connection_id}"


def account_finding(answer: Call, connection: OpenConnection) -> Finding:
    """Is the key alive, and is it of this community? Asked without a number, `groups.getById` tells whose key it is."""
    if not isinstance(answer, Answered) or not is_done(answer):
        return failure_finding(answer, "VK did not accept the access key.")
    expected = find_group_id(connection)
    given = [identifier_at(group, "id") for group in _items(answer, "groups")]
    if expected is None or not given or expected in given:
        return Finding("vk.key_good", FindingState.OK, "The access key is good.")
    return Finding(
        "vk.other_group",
        FindingState.FAIL,
        "The access key is of another community than the setting group_id.",
        "Give the key and the number of the same community.",
    )


def rights_finding(answer: Call) -> Finding | None:
    """May the key send messages? None when it may, or when VK does not tell."""
    names = {text_at(right, "name") for right in _items(answer, "permissions")}
    if not names or "messages" in names:
        return None
    return Finding(
        "vk.right_missing",
        FindingState.FAIL,
        "The access key has no right to the messages of the community.",
        "Make a new key at VK with the right to messages of the community, and set it: leadgate secrets set.",
    )


def find_server(answer: Call, connection: OpenConnection) -> Mapping[str, object] | None:
    """Our server among those of the community, or None. Others belong to other programs."""
    ours = path_of(connection)
    return next((s for s in _items(answer, "items") if (text_at(s, "url", limit=2048) or "").endswith(ours)), None)


def server_finding(server: Mapping[str, object] | None, connection: OpenConnection) -> Finding:
    """Does VK post to this connection, with our secret, and does it get through?"""
    if server is None:
        return Finding(
            "vk.webhook_not_set",
            FindingState.FAIL,
            "VK does not post to this connection: nothing arrives.",
            "Set LEADGATE_PUBLIC_URL and run `leadgate connections check`: it registers our address.",
            needs_registration=True,
        )
    if has_other_secret(server, connection):
        return Finding(
            "vk.secret_differs",
            FindingState.WARN,
            "VK sends another secret key than ours, so what it posts is refused.",
            "Run `leadgate connections check`: it tells VK ours.",
            needs_registration=True,
        )
    match text_at(server, "status"):
        case "failed" | "unconfigured":
            return Finding(
                "vk.webhook_failing",
                FindingState.WARN,
                "VK could not confirm our address or gave it up after failures.",
                "Make sure that the public address answers; `leadgate connections check` makes VK ask again.",
                needs_registration=True,
            )
        case "wait":
            return Finding(
                "vk.webhook_unconfirmed",
                FindingState.WARN,
                "VK has not confirmed our address yet.",
                "Check again in a minute.",
            )
    return Finding("vk.webhook_set", FindingState.OK, "VK posts to this connection.")


def has_other_secret(server: Mapping[str, object], connection: OpenConnection) -> bool:
    """True when VK tells its secret of this server and it is not our newest one."""
    secret, given = connection.secret(WEBHOOK_SECRET), value_at(server, "secret_key")
    return secret is not None and isinstance(given, str) and not matches_any(given, (secret,))


def events_finding(answer: Call) -> Finding | None:
    """Does VK leave out kinds of events that we want? None when not, or when it does not tell."""
    events = value_at(answer.body, "response", "events") if isinstance(answer, Answered) else None
    if not isinstance(events, dict) or all(events.get(name) for name in WANTED_EVENTS if name in events):
        return None
    return Finding(
        "vk.events_left_out",
        FindingState.WARN,
        "VK leaves out some kinds of events that we want.",
        "Run `leadgate connections check`: it asks for them.",
        needs_registration=True,
    )


def confirmation_finding(answer: Call, connection: OpenConnection, *, is_confirmed: bool) -> Finding | None:
    """Is the confirmation string the one that VK expects now? It may change when the settings of the servers do."""
    code = text_at(answer.body, "response", "code") if isinstance(answer, Answered) else None
    if code is None or matches_any(code, connection.secrets.get(CONFIRMATION, ())):
        return None
    return Finding(
        "vk.confirmation_differs",
        FindingState.WARN if is_confirmed else FindingState.FAIL,
        "VK expects another confirmation string than the connection has.",
        "Copy the string from Manage → API usage → Callback API and set it: leadgate secrets set.",
    )


def by_hand_finding(connection: OpenConnection, webhook_url: str | None = None) -> Finding:
    """The key may not manage the community, so a person enters the address."""
    address = webhook_url or f"https://…{path_of(connection)}"
    return Finding(
        "vk.register_by_hand",
        FindingState.WARN,
        f"The access key may not manage the community, so the address is entered by hand: {address}",
        "At VK open Manage → API usage → Callback API: enter this address and the secret key of the connection, choose API 5.199, "
        "press Confirm, and under Event types switch on everything about messages; or give the key the right to manage.",
    )


def is_missing_right(answer: Call) -> bool:
    """The method needs a right that the key has not."""
    return to_failure(answer).code == "vk.right_missing"


def failure_finding(answer: Call, text: str) -> Finding:
    """A call that failed, with its cure."""
    if error_number(answer) == _LIMIT_ERROR:
        return Finding(
            "vk.too_many_servers",
            FindingState.FAIL,
            "The community has as many callback servers as VK allows.",
            "Remove a server that nobody needs at VK: Manage → API usage → Callback API.",
        )
    code = to_failure(answer).code
    cure = _CURES.get(code, "Check the network of the server and try again later.")
    return Finding(code, FindingState.FAIL, text, cure)


def gravest_first(findings: Iterator[Finding | None]) -> CheckReport:
    """A report of what was found."""
    order = (FindingState.FAIL, FindingState.WARN, FindingState.OK)
    found = [finding for finding in findings if finding is not None]
    return CheckReport(tuple(sorted(found, key=lambda finding: order.index(finding.state))))


def settings_of(server_id: str, group_id: str) -> dict[str, str]:
    """Parameters of `groups.setCallbackSettings`: ours are switched on, others stay as they are."""
    wanted = dict.fromkeys(WANTED_EVENTS, "1")
    return {"group_id": group_id, "server_id": server_id, "api_version": API_VERSION, **wanted}


def _items(answer: Call, name: str) -> list[Mapping[str, object]]:
    """The objects of a list in the answer; older versions answer with the list itself."""
    response = answer.body.get("response") if isinstance(answer, Answered) else None
    found = response if isinstance(response, list) else value_at(response, name)
    return (
        [cast("Mapping[str, object]", item) for item in found if isinstance(item, dict)]
        if isinstance(found, list)
        else []
    )
