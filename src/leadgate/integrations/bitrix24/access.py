"""How a call proves who we are: the one object that an application with OAuth will replace. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol
from urllib.parse import urljoin, urlsplit, urlunsplit

from leadgate.integrations.bitrix24.settings import is_loopback, is_safe_transport
from leadgate.model.secret import Secret


class Access(Protocol):
    """Authorisation of one portal."""

    def url(self, method: str) -> str:
        """Address of a method. May contain the secret: never log it."""
        ...

    def sign(self, params: Mapping[str, object]) -> Mapping[str, object]:
        """The parameters with whatever proves who calls."""
        ...

    def follow(self, method: str, location: str) -> bool:
        """Accept that the portal was renamed; False when the new address is not the same method elsewhere."""
        ...

    @property
    def moved_to(self) -> str | None:
        """Host that the portal answers at since this process followed it, or None."""
        ...


class WebhookAccess:
    """Inbound webhook: the secret is part of the address, the parameters stay as they are."""

    def __init__(self, address: Secret) -> None:
        """Keep `https://PORTAL/rest/<user_id>/<secret>/`, checked by `settings.webhook_url_problem`."""
        self._base = Secret(address.reveal().strip().rstrip("/") + "/")
        self._moved_to: str | None = None

    def url(self, method: str) -> str:
        """Address of a method; contains the secret."""
        return self._base.reveal() + method

    def sign(self, params: Mapping[str, object]) -> Mapping[str, object]:
        """The parameters as they are."""
        return params

    def follow(self, method: str, location: str) -> bool:
        """Take over the new host for this process when only the host differs, by https (or loopback)."""
        old = urlsplit(self.url(method))
        try:
            new = urlsplit(urljoin(self.url(method), location))
            host, port = new.hostname, new.port
        except ValueError:
            return False
        same_call = new.path == old.path and not new.query and not new.fragment and new.username is None
        if not host or port == 0 or not same_call or not is_safe_transport(new) or new.netloc == old.netloc:
            return False
        if is_loopback(host) and not is_loopback(old.hostname or ""):
            return False  # a portal elsewhere must not send us to a service of this machine
        base = urlsplit(self._base.reveal())
        self._base = Secret(urlunsplit((new.scheme, new.netloc, base.path, "", "")))
        self._moved_to = host
        return True

    @property
    def moved_to(self) -> str | None:
        """Host that the portal answers at since this process followed it, or None."""
        return self._moved_to
