"""A ready request of a bot builder: the lead as JSON bytes with the headers that sign them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from leadgate.intake.signatures import sign_standard


def sign_lead(
    lead: Mapping[str, object], *, secret: str, webhook_id: str, at: datetime
) -> tuple[bytes, dict[str, str]]:
    """Body and headers to post, exactly as they are; what is JSON already is signed by `sign_standard`.

    Raises:
        ConfigurationError: the secret is no `whsec_…` of 24 to 64 bytes, or the id is malformed.
    """
    body = json.dumps(lead, ensure_ascii=False).encode()
    headers = {
        "content-type": "application/json",
        **sign_standard(body, secret=secret, webhook_id=webhook_id, at=at),
    }
    return body, headers
