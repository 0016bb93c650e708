"""The API of a real gateway under schemathesis, with the token of every role: never a 5xx, and answers as the document tells."""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis import CheckContext, Response
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from leadgate.app import open_app
from leadgate.model.staff import Role
from leadgate.settings import read_settings
from tests.hostile.salon import open_salon

AWAY = "connection.unreachable"
"""The one 503 that is no failure of ours: a vendor was to be asked, and there is none here."""


def not_our_failure(context: CheckContext, response: Response, case: Any) -> bool | None:  # noqa: ANN401 - the library's own
    """No 5xx but for a vendor that is away."""
    if response.status_code == 503 and response.json()["code"] == AWAY:
        return None
    return not_a_server_error(context, response, case)


CHECKS = (not_our_failure, status_code_conformance, content_type_conformance, response_schema_conformance)
EXAMPLES = int(os.environ.get("LEADGATE_HOSTILE_EXAMPLES", "2"))
"""Of each operation and role; `make hostile` takes more."""


@pytest.mark.timeout(1800)
async def test_no_request_makes_the_api_fail(tmp_path: Path) -> None:
    """Odd values in every parameter and body, with the rights of each role."""
    async with open_salon(tmp_path) as salon:
        base = f"{salon.gateway.url}/api/v1"
        document = (await salon.client.get(f"{salon.gateway.url}/api/openapi.json")).json()
        async with open_app(read_settings(data=salon.gateway.data)) as app:
            tokens = [(await app.tokens.create(role=role, days=1, name=role.value))[1].reveal() for role in Role]
        for token in tokens:
            asked = await asyncio.to_thread(ask_everything, document, base, token, examples=EXAMPLES)
            assert len(asked) == sum(len(methods) for methods in document["paths"].values())
        counts = await salon.metrics()
    assert not [name for name, value in counts.items() if "crashes_total" in name and value]


def ask_everything(document: dict[str, Any], base: str, token: str, *, examples: int) -> Counter[str]:
    """Ask every operation; how often each was asked.

    Raises:
        Exception: an answer broke a check; schemathesis shows the request.
    """
    asked: Counter[str] = Counter()
    schema = schemathesis.openapi.from_dict(document)
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()

        @hypothesis.settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=False,
            suppress_health_check=list(hypothesis.HealthCheck),
        )
        @hypothesis.given(case=operation.as_strategy())
        def ask(case: Any) -> None:  # noqa: ANN401 - the library's own
            asked[case.operation.label] += 1
            case.call_and_validate(
                headers={"Authorization": f"Bearer {token}"}, checks=list(CHECKS), base_url=base, timeout=60
            )

        ask()
    return asked
