"""The live check of a connection: may we do what we need, and no more than that? One request, reads only."""

from __future__ import annotations

from collections.abc import Sequence

from leadgate.integrations.bitrix24.batch import NOT_RUN, BatchAnswer, Command
from leadgate.integrations.bitrix24.client import PortalClient
from leadgate.integrations.bitrix24.errors import REVOKED_CODES, Failure, Meaning
from leadgate.integrations.bitrix24.reads import FACTS_COMMANDS, read_facts
from leadgate.integrations.bitrix24.shapes import as_list, as_mapping, as_text
from leadgate.model.connections import CheckReport, Finding, FindingState
from leadgate.model.leads import CrmEntity
from leadgate.wire.guard import ADDRESS_REFUSED, ADDRESS_REFUSED_FINDING

NEEDED_SCOPES = frozenset({"crm"})

_COMMANDS = (Command("profile", "profile", {}), Command("scope", "scope", {}), *FACTS_COMMANDS)
_PLAN_CODES = frozenset({"bitrix24.ACCESS_DENIED", "bitrix24.PAYMENT_REQUIRED", "bitrix24.PORTAL_DELETED"})
_LIMIT_CODES = frozenset(
    {"bitrix24.QUERY_LIMIT_EXCEEDED", "bitrix24.OPERATION_TIME_LIMIT", "bitrix24.limits_respected"}
)
_AWAY_CODES = frozenset({"bitrix24.unreachable", "bitrix24.closed"})
_ORDER = (FindingState.FAIL, FindingState.WARN, FindingState.OK)

_REVOKED = Finding(
    "bitrix24.revoked",
    FindingState.FAIL,
    "Bitrix24 does not know this webhook: it was deleted, has expired or was issued anew.",
    "Check that the address was copied whole; else make a new inbound webhook in Bitrix24 and connect that one.",
)
_NO_PLAN = Finding(
    "bitrix24.plan_without_rest",
    FindingState.FAIL,
    "The plan of this Bitrix24 does not include the REST interface, or its subscription has ended.",
    "Renew the plan or the Marketplace subscription; until then all leads wait here.",
)
_NO_SCOPE = Finding(
    "bitrix24.scope_missing",
    FindingState.FAIL,
    "The webhook may not use the CRM.",
    "Open the webhook in Bitrix24 and tick the permission CRM (crm).",
)
_NO_RIGHTS = Finding(
    "bitrix24.rights_missing",
    FindingState.FAIL,
    "The user of the webhook has no access to the CRM.",
    "Give the user a CRM role that may add and read leads, contacts and deals.",
)
_INACTIVE = Finding(
    "bitrix24.user_inactive",
    FindingState.FAIL,
    "The user of the webhook is not active in Bitrix24.",
    "Make a webhook of an active user that is kept for this purpose.",
)
_ADMINISTRATOR = Finding(
    "bitrix24.webhook_of_administrator",
    FindingState.WARN,
    "The webhook belongs to an administrator: whoever learns its address owns the whole portal.",
    "Make a webhook of a separate user with a CRM role for leads only.",
)
_BUSY = Finding(
    "bitrix24.busy",
    FindingState.WARN,
    "Bitrix24 is over its request limit now, so the access could not be checked.",
    "Try again in a minute; another program on this address may use up the limit.",
)
_UNREACHABLE = Finding(
    "bitrix24.unreachable",
    FindingState.FAIL,
    "Bitrix24 cannot be reached or gives no readable answer.",
    "Check the portal's address and this server's way to the internet.",
)
_SIMPLE_MODE = Finding(
    "bitrix24.simple_mode",
    FindingState.OK,
    "This Bitrix24 works without leads, so every request becomes a deal with a contact.",
)
_WORKS = Finding("bitrix24.works", FindingState.OK, "Bitrix24 answers and the access works.")


async def check(client: PortalClient) -> CheckReport:
    """Ask who we are, what we may do and in which mode the CRM works; gravest finding first."""
    answer = await client.batch(_COMMANDS, halt=False)
    findings = [_of_failure(answer)] if isinstance(answer, Failure) else _of_answer(answer)
    if client.moved_to is not None:
        findings.append(_moved(client.moved_to))
    if all(finding.state is not FindingState.FAIL and finding is not _BUSY for finding in findings):
        findings.append(_WORKS)
    return CheckReport(tuple(sorted(findings, key=lambda finding: _ORDER.index(finding.state))))


def _of_failure(failure: Failure) -> Finding:
    if failure.code in REVOKED_CODES | {ADDRESS_REFUSED}:
        return _REVOKED if failure.code in REVOKED_CODES else ADDRESS_REFUSED_FINDING
    if failure.code == "bitrix24.INSUFFICIENT_SCOPE":
        return _NO_SCOPE
    if failure.code in _PLAN_CODES:
        return _NO_PLAN
    if failure.code in _LIMIT_CODES:
        return _BUSY
    if failure.meaning is Meaning.UNKNOWN or failure.code in _AWAY_CODES:
        return _UNREACHABLE
    return Finding(
        "bitrix24.refused",
        FindingState.FAIL,
        f"Bitrix24 refuses the access with the code {failure.code.removeprefix('bitrix24.')}.",
        "Check the webhook and its user in Bitrix24.",
    )


def _of_answer(answer: BatchAnswer) -> list[Finding]:
    if any(value is NOT_RUN for value in answer.values.values()):
        return [_UNREACHABLE]
    findings = [*_of_profile(answer.values["profile"]), *_of_scope(answer.values["scope"])]
    failures = [value for key in ("mode", "sources") if isinstance(value := answer.values[key], Failure)]
    if failures:
        return list(dict.fromkeys([*findings, *map(_of_crm_failure, failures)]))
    facts = read_facts(answer)
    if isinstance(facts, Failure):
        return [*findings, _UNREACHABLE]
    return [*findings, _SIMPLE_MODE] if facts.entity is CrmEntity.DEAL else findings


def _of_crm_failure(failure: Failure) -> Finding:
    return _NO_RIGHTS if failure.code == "bitrix24.ACCESS_DENIED" else _of_failure(failure)


def _of_profile(value: object) -> Sequence[Finding]:
    if isinstance(value, Failure):
        return [_of_failure(value)]
    profile = as_mapping(value)
    if not profile:
        return [_INACTIVE]
    return [_ADMINISTRATOR] if profile.get("ADMIN") in {True, "Y", "true", "1"} else []


def _of_scope(value: object) -> Sequence[Finding]:
    if isinstance(value, Failure):
        return [_of_failure(value)]
    granted = {scope for scope in map(as_text, as_list(value)) if scope.replace("_", "").isalnum()}
    if not granted >= NEEDED_SCOPES:
        return [_NO_SCOPE]
    return [_excess(sorted(granted - NEEDED_SCOPES))] if granted > NEEDED_SCOPES else []


def _excess(scopes: Sequence[str]) -> Finding:
    return Finding(
        "bitrix24.scope_excess",
        FindingState.WARN,
        f"The webhook may do more than Leadgate needs: {', '.join(scopes)[:200]}.",
        "Open the webhook in Bitrix24 and leave only the permission CRM (crm).",
    )


def _moved(host: str) -> Finding:
    return Finding(
        "bitrix24.portal_moved",
        FindingState.WARN,
        f"The portal was renamed and now answers at {host}.",
        "Connect the webhook under its new address; then remove this connection.",
    )
