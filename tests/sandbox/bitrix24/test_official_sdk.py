"""The official Python SDK as a client: what it accepts from a real portal, it must accept from the sandbox."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from b24pysdk import BitrixWebhook, Client
from b24pysdk.errors import (
    BitrixAPIBadRequest,
    BitrixAPIInsufficientScope,
    BitrixAPIInvalidArgValue,
    BitrixAPINotFound,
    BitrixAPIOperationTimeLimit,
    BitrixAPIQueryLimitExceeded,
    BitrixRequestError,
    BitrixResponseJSONDecodeError,
)
from b24pysdk.errors.oauth import BitrixOAuthNoAuthFound
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from leadgate.sandbox.bitrix24 import Certificate, Sandbox, serve

PHONE = [{"typeId": "PHONE", "valueType": "WORK", "value": "+79000000001"}]


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    """A certificate of this test's own, trusted by `requests`: the SDK speaks only https."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sandbox")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
    builder = builder.add_extension(address, critical=False)
    signed = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True).sign(
        key, hashes.SHA256()
    )
    chain, key_file = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    key_file.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(chain))
    return Certificate(chain=chain, key=key_file)


@pytest.fixture
async def client(sandbox: Sandbox, certificate: Certificate) -> AsyncIterator[Any]:
    """The SDK, told that the sandbox is its portal."""
    async with serve(sandbox, certificate=certificate) as base_url:
        token = f"{sandbox.webhook_user_id}/{sandbox.webhook_secret}"
        webhook = BitrixWebhook(domain=base_url.removeprefix("https://"), webhook_token=token)
        yield Client(webhook, max_retries=1)


async def ask(request: Any) -> Any:  # noqa: ANN401 - the SDK ships no types
    """Runs a blocking request of the SDK beside the server's loop."""
    return await asyncio.to_thread(lambda: request.response)


async def test_adding_reading_and_changing(client: Any) -> None:  # noqa: ANN401 - as above
    """The SDK parses our `time`, our items and our legacy rows."""
    added = await ask(client.crm.item.add(1, {"name": "Лейла", "fm": PHONE}))
    number = added.result["item"]["id"]
    assert added.time.operating >= 0
    assert added.time.date_start.utcoffset() == timedelta(hours=3)
    assert (await ask(client.crm.lead.get(bitrix_id=number))).result["PHONE"][0]["VALUE"] == "+79000000001"
    assert (await ask(client.crm.lead.update(bitrix_id=number, fields={"NAME": "Л."}))).result is True
    assert (await ask(client.crm.lead.get(bitrix_id=number))).result["NAME"] == "Л."
    found = await ask(client.crm.duplicate.findbycomm(type="PHONE", values=["+79000000001"]))
    assert found.result == {"LEAD": [number]}


async def test_a_long_list_is_walked_to_its_end(client: Any, sandbox: Sandbox) -> None:  # noqa: ANN401 - as above
    """The SDK fetches the first page and the rest in batches, or by the id in windows."""
    for _ in range(3):
        commands = [("crm.lead.add", {"fields": {"NAME": "x"}})] * 50
        await asyncio.to_thread(lambda: client._bitrix_token.call_batch(commands))  # noqa: SLF001, B023 - the SDK's own entry for plain commands
    await ask(client.crm.lead.add({"NAME": "x"}))
    assert len(sandbox.portal.leads) == 151
    rows = (await ask(client.crm.lead.list(select=["ID"]).as_list())).result
    assert len({row["ID"] for row in rows}) == 151
    quick = await asyncio.to_thread(lambda: list(client.crm.lead.list(select=["ID"]).as_list_fast().response.result))
    assert len({row["ID"] for row in quick}) == 151


async def test_a_batch_keeps_its_keys(client: Any, sandbox: Sandbox) -> None:  # noqa: ANN401 - as above
    """Answers and refusals stand under the caller's keys; references reach the portal encoded."""
    made = await ask(
        client.call_batch(
            {
                "lead": client.crm.lead.add({"NAME": "Лейла"}),
                "note": client.crm.timeline.comment.add(
                    {"ENTITY_ID": "$result[lead]", "ENTITY_TYPE": "lead", "COMMENT": "Здравствуйте & до встречи"}
                ),
                "gone": client.crm.lead.get(bitrix_id=5),
            }
        )
    )
    note = sandbox.portal.comments[made.result.result["note"]]
    assert (note.owner_id, note.text) == (made.result.result["lead"], "Здравствуйте & до встречи")
    assert made.result.result_error["gone"]["error_description"] == "Not found"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("limit-503", BitrixAPIQueryLimitExceeded),
        ("operation-429", BitrixAPIOperationTimeLimit),
        ("revoked", BitrixOAuthNoAuthFound),
        ("html-502", BitrixResponseJSONDecodeError),
        ("down", BitrixRequestError),
        ("drop-answer", BitrixRequestError),
    ],
)
async def test_faults_become_the_errors_of_the_sdk(
    client: Any,  # noqa: ANN401 - as above
    sandbox: Sandbox,
    fault: str,
    expected: type[Exception],
) -> None:
    """Each code is known to the SDK under its own class."""
    sandbox.faults.add(fault)
    with pytest.raises(expected):
        await ask(client.profile())


async def test_refusals_become_the_errors_of_the_sdk(client: Any, sandbox: Sandbox) -> None:  # noqa: ANN401 - as above
    """Codes of the newer methods, the empty one of the old, an unknown method, a missing scope."""
    with pytest.raises(BitrixAPIInvalidArgValue):
        await ask(client.crm.item.list(1, filter={"nope": 1}))
    with pytest.raises(BitrixAPIBadRequest, match="Not found"):
        await ask(client.crm.lead.get(bitrix_id=5))
    with pytest.raises(BitrixAPINotFound):
        await ask(client.crm.quote.get(bitrix_id=5))
    sandbox.portal.scopes = frozenset()
    with pytest.raises(BitrixAPIInsufficientScope):
        await ask(client.crm.lead.get(bitrix_id=5))
