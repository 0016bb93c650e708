"""The one key of a `bot` connection."""

from __future__ import annotations

from leadgate.errors import ConfigurationError
from leadgate.intake.signatures import make_signing_secret, signing_key
from leadgate.model.renewals import Renewal
from leadgate.ports.integration import Field

SIGNING_SECRET = "signing_secret"  # noqa: S105 - the name of a key, not a secret


def signing_secret_problem(value: str) -> str | None:
    """What is wrong with a signing secret, or None."""
    try:
        signing_key(value)
    except ConfigurationError:
        return "must be whsec_ followed by the base64 of 24 to 64 random bytes"
    return None


FIELDS = (
    Field(
        name=SIGNING_SECRET,
        label_ru="Ключ подписи",
        label_en="Signing secret",
        secret=True,
        renewal=Renewal.HANDED,
        make=make_signing_secret,
        problem=signing_secret_problem,
        help_ru="Можно не заполнять: Leadgate придумает ключ и покажет его один раз.",
        help_en="May stay empty: Leadgate makes one and shows it once.",
    ),
)
"""Keys of a connection, in the order of the form."""
