"""A token may less than its role when it has scopes, and nobody makes one that may more than they themselves."""

from __future__ import annotations

from leadgate.app import open_app
from leadgate.model.staff import Role
from leadgate.settings import read_settings
from tests.web.api.conftest import Api


async def scoped(api: Api, *scopes: str, role: Role = Role.OWNER) -> None:
    """The owner's program has these scopes from now on."""
    async with open_app(read_settings(data=api.salon.gateway.data)) as app:
        _, secret = await app.tokens.create(role=role, days=1, scopes=scopes)
    api.tokens[role] = secret.reveal()


async def test_a_scope_opens_its_part_alone(api: Api) -> None:
    """A report that reads deliveries reads no people, and writes nothing."""
    await scoped(api, "deliveries:read")
    assert (await api.ask("GET", "/deliveries")).status_code == 200
    for method, path in (("GET", "/events"), ("POST", "/deliveries/retry-all"), ("GET", "/staff")):
        refused = await api.ask(method, path)
        assert (refused.status_code, refused.json()["code"]) == (403, "access.scope"), path


async def test_writing_reads_and_all_is_all(api: Api) -> None:
    """`deliveries:write` need not name reading; `all:read` writes nowhere."""
    await scoped(api, "deliveries:write")
    assert (await api.ask("GET", "/deliveries")).status_code == 200
    assert (await api.ask("POST", "/deliveries/retry-all")).status_code == 200
    await scoped(api, "all:read")
    assert (await api.ask("GET", "/events")).status_code == 200
    assert (await api.ask("POST", "/deliveries/retry-all")).json()["code"] == "access.scope"


async def test_a_scope_gives_no_right_that_the_role_has_not(api: Api) -> None:
    """An auditor who may write all writes nothing."""
    await scoped(api, "all:write", role=Role.AUDITOR)
    refused = await api.ask("POST", "/deliveries/retry-all", Role.AUDITOR)
    assert (refused.status_code, refused.json()["code"]) == (403, "access.role")


async def test_nobody_makes_a_token_that_may_more(api: Api) -> None:
    """Neither a role above the own one nor more scopes than the own ones."""
    wide = {"role": "manager", "days": 1}
    await scoped(api, "tokens:write")
    assert (await api.ask("POST", "/tokens", json=wide)).status_code == 403
    assert (await api.ask("POST", "/tokens", json=wide | {"scopes": ["events:read"]})).status_code == 403
    assert (await api.ask("POST", "/tokens", json=wide | {"scopes": ["tokens:write"]})).status_code == 200
    above = await api.ask("POST", "/tokens", Role.INTEGRATOR, json={"role": "owner", "days": 1})
    assert (above.status_code, above.json()["code"]) == (403, "access.scope")
