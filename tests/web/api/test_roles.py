"""Who may do what, for every address there is: one table."""

from __future__ import annotations

import pytest

from leadgate.model.staff import Role
from leadgate.web.api.router import find_endpoints
from tests.web.api.conftest import Api

EVERYBODY = frozenset(Role)
DESK = frozenset({Role.OWNER, Role.INTEGRATOR, Role.MANAGER})
HOUSE = frozenset({Role.OWNER, Role.INTEGRATOR})
OWNER = frozenset({Role.OWNER})
ALLOWED = {
    ("GET", "/alerts"): EVERYBODY,
    ("GET", "/alerts/addresses"): EVERYBODY,
    ("POST", "/alerts/addresses"): HOUSE,
    ("DELETE", "/alerts/addresses/{address_id}"): HOUSE,
    ("POST", "/alerts/test"): HOUSE,
    ("GET", "/connections"): EVERYBODY,
    ("POST", "/connections"): HOUSE,
    ("GET", "/connections/{connection_id}"): EVERYBODY,
    ("POST", "/connections/{connection_id}/check"): HOUSE,
    ("POST", "/connections/{connection_id}/pause"): HOUSE,
    ("POST", "/connections/{connection_id}/resume"): HOUSE,
    ("GET", "/data-map"): EVERYBODY,
    ("POST", "/data-map/decisions"): HOUSE,
    ("GET", "/incidents"): EVERYBODY,
    ("GET", "/incident"): EVERYBODY,
    ("POST", "/incident"): HOUSE,
    ("POST", "/incident/freeze"): HOUSE,
    ("POST", "/incident/unfreeze"): HOUSE,
    ("POST", "/incident/note"): HOUSE,
    ("POST", "/incident/count"): HOUSE,
    ("GET", "/incident/notices/{notice}"): HOUSE,
    ("POST", "/incident/notices/{notice}/sent"): HOUSE,
    ("POST", "/incident/close"): HOUSE,
    ("GET", "/consents"): EVERYBODY,
    ("GET", "/consents/overview"): EVERYBODY,
    ("GET", "/consents/texts"): EVERYBODY,
    ("GET", "/consents/verify"): EVERYBODY,
    ("GET", "/consents/{number}"): EVERYBODY,
    ("POST", "/consents/texts"): HOUSE,
    ("POST", "/consents/rule"): HOUSE,
    ("GET", "/deliveries"): EVERYBODY,
    ("GET", "/deliveries/causes"): EVERYBODY,
    ("GET", "/deliveries/{delivery_id}"): EVERYBODY,
    ("POST", "/deliveries/retry-all"): DESK,
    ("POST", "/deliveries/{delivery_id}/retry"): DESK,
    ("POST", "/deliveries/{delivery_id}/confirm"): DESK,
    ("POST", "/deliveries/{delivery_id}/discard"): HOUSE,
    ("GET", "/deliveries/{delivery_id}/fix"): DESK,
    ("POST", "/deliveries/{delivery_id}/fix"): DESK,
    ("GET", "/erasures"): EVERYBODY,
    ("GET", "/erasures/{erasure_id}"): EVERYBODY,
    ("GET", "/events"): EVERYBODY,
    ("GET", "/events/{event_id}"): EVERYBODY,
    ("POST", "/events/{event_id}/replay"): DESK,
    ("GET", "/figures"): EVERYBODY,
    ("GET", "/secrets"): EVERYBODY,
    ("POST", "/secrets/{secret}/rotate"): HOUSE,
    ("POST", "/secrets/{secret}/set"): HOUSE,
    ("POST", "/secrets/{secret}/undo"): HOUSE,
    ("POST", "/secrets/{secret}/confirm"): HOUSE,
    ("GET", "/secret-term"): EVERYBODY,
    ("POST", "/secret-term"): HOUSE,
    ("GET", "/journal"): EVERYBODY,
    ("GET", "/journal/checkpoint"): EVERYBODY,
    ("GET", "/leads"): EVERYBODY,
    ("GET", "/ledger"): EVERYBODY,
    ("POST", "/ledger/reconcile"): HOUSE,
    ("GET", "/policies"): EVERYBODY,
    ("POST", "/policies"): HOUSE,
    ("GET", "/health-mode"): EVERYBODY,
    ("GET", "/retention"): EVERYBODY,
    ("GET", "/keys"): EVERYBODY,
    ("POST", "/keys/rotate"): HOUSE,
    ("POST", "/retention/{kind}"): HOUSE,
    ("POST", "/health-mode"): HOUSE,
    ("POST", "/subjects/{subject_id}/erase"): HOUSE,
    ("GET", "/requests"): EVERYBODY,
    ("GET", "/requests/{request_id}"): EVERYBODY,
    ("GET", "/requests/{request_id}/words"): HOUSE,
    ("POST", "/requests"): HOUSE,
    ("POST", "/requests/{request_id}/assign"): HOUSE,
    ("POST", "/requests/{request_id}/extend"): HOUSE,
    ("POST", "/requests/{request_id}/close"): HOUSE,
    ("POST", "/subjects"): HOUSE,
    ("GET", "/subjects/{subject_id}"): EVERYBODY,
    ("POST", "/subjects/{subject_id}/reveal"): HOUSE,
    ("POST", "/subjects/{subject_id}/export"): HOUSE,
    ("POST", "/subjects/{subject_id}/correct"): HOUSE,
    ("POST", "/subjects/{subject_id}/block"): HOUSE,
    ("POST", "/subjects/{subject_id}/unblock"): HOUSE,
    ("GET", "/staff"): EVERYBODY,
    ("POST", "/staff"): OWNER,
    ("POST", "/staff/{staff_id}/reset"): OWNER,
    ("POST", "/staff/{staff_id}/role"): OWNER,
    ("POST", "/staff/{staff_id}/disable"): OWNER,
    ("GET", "/tokens"): EVERYBODY,
    ("POST", "/tokens"): HOUSE,
    ("POST", "/tokens/{token_id}/revoke"): HOUSE,
}


def test_the_table_names_every_address() -> None:
    """A new one must be thought about here before it is served."""
    assert sorted((one.method, one.path) for one in find_endpoints()) == sorted(ALLOWED)


async def test_every_role_against_every_address(api: Api) -> None:
    """Forbidden before anything is read of the request; allowed as far as the made-up id reaches; strangers nowhere."""
    found: dict[tuple[str, str], frozenset[Role]] = {}
    for method, path in ALLOWED:
        address = path.replace("{", "made_up_").replace("}", "")
        stranger = await api.ask(method, address, None)
        assert (stranger.status_code, stranger.headers["www-authenticate"]) == (401, 'Bearer realm="leadgate"'), path
        statuses = {role: (await api.ask(method, address, role)).status_code for role in Role}
        assert set(statuses.values()) <= {200, 201, 403, 404, 422}, (path, statuses)
        found[method, path] = frozenset(role for role, status in statuses.items() if status != 403)
    assert found == ALLOWED


@pytest.mark.parametrize("role", ["intake", "worker"])
async def test_only_processes_with_pages_serve_the_api(api: Api, role: str) -> None:
    """The door to the world of an intake node must not be a door to the house's data."""
    await api.salon.gateway.stop()
    await api.salon.gateway.start("--role", role)
    assert (await api.ask("GET", "/events")).status_code == 404
