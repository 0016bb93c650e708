"""Settings and secrets of a new connection, checked against the manifest of its kind. Pure but for the id source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from leadgate.errors import ConfigurationError
from leadgate.model.secret import Secret
from leadgate.ports.clock import IdSource
from leadgate.ports.integration import Field, Manifest


@dataclass(frozen=True, slots=True)
class Checked:
    """Settings and secrets that fit the manifest; `made` are secrets that were absent and made now."""

    settings: Mapping[str, str]
    secrets: Mapping[str, Secret]
    made: frozenset[str]


def check_keys(
    manifest: Manifest, settings: Mapping[str, str], secrets: Mapping[str, Secret], ids: IdSource
) -> Checked:
    """Check every key, fill in defaults and make secrets that can be made.

    Raises:
        ConfigurationError: a key is unknown, missing or wrong; the message names it, never its value.
    """
    known = {field.name: field for field in manifest.fields}
    _refuse_unknown(manifest, known, settings, secrets)
    checked_settings: dict[str, str] = {}
    checked_secrets: dict[str, Secret] = {}
    made: set[str] = set()
    for field in manifest.fields:
        if field.secret:
            secret = secrets.get(field.name)
            if (secret is None or not secret.reveal()) and field.make is not None:
                secret = Secret(field.make(ids))
                made.add(field.name)
            value = secret.reveal() if secret is not None else ""
            if _check(manifest, field, value):
                checked_secrets[field.name] = Secret(value)
        else:
            value = settings.get(field.name, "").strip() or field.default
            if _check(manifest, field, value):
                checked_settings[field.name] = value
    return Checked(checked_settings, checked_secrets, frozenset(made))


def _check(manifest: Manifest, field: Field, value: str) -> bool:
    """True when there is a value to keep."""
    if not value:
        if field.required:
            where = "the secrets file" if field.secret else f"--setting {field.name}=…"
            raise ConfigurationError(
                f"{manifest.title} needs `{field.name}`.", code="connection.key_missing", hint=f"Give it in {where}."
            )
        return False
    problem = field.problem(value) if field.problem is not None else None
    if problem is not None:
        raise ConfigurationError(f"`{field.name}`: {problem}", code="connection.key_wrong")
    return True


def _refuse_unknown(
    manifest: Manifest, known: Mapping[str, Field], settings: Mapping[str, str], secrets: Mapping[str, Secret]
) -> None:
    names = ", ".join(known) or "none"
    for name in settings:
        if name not in known:
            raise ConfigurationError(
                f"{manifest.title} has no setting `{name}`.", code="connection.key_unknown", hint=f"It knows: {names}."
            )
        if known[name].secret:
            raise ConfigurationError(
                f"`{name}` is a secret and does not travel in arguments.",
                code="connection.secret_in_argument",
                hint="Put it into a JSON file for --secrets-file, or pipe it with --secrets-file -.",
            )
    for name in secrets:
        if name not in known or not known[name].secret:
            raise ConfigurationError(
                # The name is not repeated: somebody may have swapped it with the secret.
                f"The secrets file has a key that {manifest.title} does not know.",
                code="connection.key_unknown",
                hint=f"It knows: {names}.",
            )
