"""The transit engine as a custodian: the key never leaves it, its versions are our generations.

The least policy is `update` on encrypt and decrypt of the one key; with `update` on its `rotate` we rotate by ourselves, without
it somebody else does (or `auto_rotate_period`) and we take the new version over. Associated data bind each data key to its place.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from pathlib import Path

from leadgate.errors import ConfigurationError, UnknownKeyError
from leadgate.model.secret import Secret
from leadgate.ports.custodian import Wrapped
from leadgate.wire.key_service import KeyAnswer, KeyService, refused

KIND = "transit"
SETTINGS = frozenset({"address", "key", "mount", "ca_file", "namespace"})
SECRETS = frozenset({"token", "role_id", "secret_id"})
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,79}")
_MOUNT = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")
_CIPHERTEXT = re.compile(rb"vault:v([1-9][0-9]{0,8}):[A-Za-z0-9+/]+={0,2}")
_NO_ENTRY = 403
_PROBE = base64.b64encode(b"leadgate").decode()


class TransitCustodian:
    """See `ports.custodian.Custodian`."""

    kind = KIND

    def __init__(self, settings: Mapping[str, str], secrets: Mapping[str, Secret]) -> None:
        """Ask nothing yet; `check` and `use` do.

        Raises:
            ConfigurationError: a setting is missing, wrong or unknown.
        """
        _check(settings, secrets)
        ca_file = settings.get("ca_file")
        self._service = KeyService(settings["address"].rstrip("/"), ca_file=Path(ca_file) if ca_file else None)
        self._key = settings["key"]
        self._mount = settings.get("mount", "transit")
        self._namespace = settings.get("namespace", "")
        self._secrets = secrets
        self._token = secrets.get("token")
        self._version = 0
        self._seen: set[int] = set()

    def key_id(self) -> str:
        """`transit:`, the key's name and its version."""
        if self._version == 0:
            self._version = self._newest()
        return self._id(self._version)

    def key_ids(self) -> frozenset[str]:
        """The versions that this process has met."""
        return frozenset(map(self._id, self._seen))

    def wrap(self, data_key: bytes, context: bytes) -> Wrapped:
        """Have it encrypted."""
        if self._version == 0:
            self._version = self._newest()
        sealed = self._encrypt(base64.b64encode(data_key).decode(), context, self._version)
        return Wrapped(sealed, self._id(_version_of(sealed)))

    def unwrap(self, wrapped: Wrapped, context: bytes) -> bytes:
        """Have it decrypted."""
        if not _CIPHERTEXT.fullmatch(wrapped.content) or wrapped.key_id != self._id(_version_of(wrapped.content)):
            raise _foreign()
        answer = self._ask(
            "decrypt", {"ciphertext": wrapped.content.decode(), "associated_data": base64.b64encode(context).decode()}
        )
        try:
            return base64.b64decode(str(_data(answer)["plaintext"]), validate=True)
        except (KeyError, binascii.Error):
            raise _foreign() from None

    def rotate(self) -> str:
        """Have a new version made; where we may not, take over one that somebody else made.

        Raises:
            ConfigurationError: we may not, and nobody else did.
        """
        before = max([self._version, *self._seen], default=0) or self._newest()
        answer = self._send(f"/v1/{self._mount}/keys/{self._key}/rotate", {})
        newest = self._newest()
        if newest <= before:
            raise ConfigurationError(
                f"The custodian does not let us rotate its key (status {answer.status}).",
                code="custodian.no_rotation",
                hint=f"Let somebody who may run: bao write -f {self._mount}/keys/{self._key}/rotate, and then call again.",
            )
        return self._id(newest)

    def use(self, key_id: str) -> None:
        """Encrypt with this version from now on."""
        version = self._version_in(key_id)
        if version != self._version:
            self._encrypt(_PROBE, b"", version)
            self._version = version

    def drop(self, key_ids: frozenset[str]) -> None:
        """Not ours to do: the server's `min_decryption_version` ends old versions."""

    def check(self) -> None:
        """Have something encrypted."""
        self._encrypt(_PROBE, b"", self._version)

    def _newest(self) -> int:
        return _version_of(self._encrypt(_PROBE, b"", 0))

    def _encrypt(self, plaintext: str, context: bytes, version: int) -> bytes:
        """Version 0: the newest."""
        answer = self._ask(
            "encrypt",
            {
                "plaintext": plaintext,
                "associated_data": base64.b64encode(context).decode(),
                "key_version": version,
            },
        )
        sealed = str(_data(answer).get("ciphertext", "")).encode()
        if not _CIPHERTEXT.fullmatch(sealed):
            raise _foreign()
        self._seen.add(_version_of(sealed))
        return sealed

    def _ask(self, act: str, body: Mapping[str, object]) -> KeyAnswer:
        answer = self._send(f"/v1/{self._mount}/{act}/{self._key}", body)
        if answer.status == _NO_ENTRY:
            raise refused()
        if not answer.is_success:
            raise _foreign()
        return answer

    def _send(self, path: str, body: Mapping[str, object]) -> KeyAnswer:
        """With a fresh token when the old one has run out and there is a role to sign in with."""
        answer = self._post(path, body)
        if answer.status == _NO_ENTRY and "role_id" in self._secrets:
            self._token = None
            answer = self._post(path, body)
        return answer

    def _post(self, path: str, body: Mapping[str, object]) -> KeyAnswer:
        if self._token is None:
            self._token = self._sign_in()
        headers = {"X-Vault-Token": self._token.reveal(), "X-Vault-Request": "true"}
        return self._service.ask("POST", path, body, headers | self._space())

    def _sign_in(self) -> Secret:
        body = {name: self._secrets[name].reveal() for name in ("role_id", "secret_id")}
        answer = self._service.ask("POST", "/v1/auth/approle/login", body, {"X-Vault-Request": "true"} | self._space())
        auth = answer.body.get("auth")
        if not answer.is_success or not isinstance(auth, dict):
            raise refused()
        return Secret(str(auth.get("client_token", "")))

    def _space(self) -> dict[str, str]:
        return {"X-Vault-Namespace": self._namespace} if self._namespace else {}

    def _id(self, version: int) -> str:
        return f"{KIND}:{self._mount}/{self._key}/{version}"

    def _version_in(self, key_id: str) -> int:
        start, _, version = key_id.rpartition("/")
        if f"{start}/" != self._id(0)[:-1] or not (version.isascii() and version.isdecimal() and int(version) > 0):
            raise _foreign()
        return int(version)


def _check(settings: Mapping[str, str], secrets: Mapping[str, Secret]) -> None:
    unknown = (settings.keys() - SETTINGS) | (secrets.keys() - SECRETS)
    if unknown:
        raise ConfigurationError(
            f"transit does not know: {', '.join(sorted(unknown))}.",
            code="custodian.setting",
            hint=f"Settings: {', '.join(sorted(SETTINGS))}; secrets: token, or role_id and secret_id.",
        )
    if not settings.get("address") or not _NAME.fullmatch(settings.get("key", "")):
        raise ConfigurationError("transit needs the settings address and key.", code="custodian.setting")
    if not _MOUNT.fullmatch(settings.get("mount", "transit")):
        raise ConfigurationError("transit: mount is no path of an engine.", code="custodian.setting")
    if "token" not in secrets and not {"role_id", "secret_id"} <= secrets.keys():
        raise ConfigurationError("transit needs the secret token, or role_id and secret_id.", code="custodian.setting")


def _data(answer: KeyAnswer) -> Mapping[str, object]:
    found = answer.body.get("data")
    return found if isinstance(found, dict) else {}


def _version_of(sealed: bytes) -> int:
    found = _CIPHERTEXT.fullmatch(sealed)
    return int(found[1]) if found else 0


def _foreign() -> UnknownKeyError:
    return UnknownKeyError(
        "The custodian has no key that opens this.",
        hint="See that its settings name the key that wrapped it, and that nobody deleted it.",
    )
