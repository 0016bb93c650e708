"""The one explicit list of integrations: a vendor is one line here and a folder in `integrations`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from leadgate.errors import ConfigurationError
from leadgate.model.secret import Secret
from leadgate.ports.clock import IdSource
from leadgate.ports.custodian import Custodian
from leadgate.ports.integration import Integration
from leadgate.ports.notifier import Notifier

_MANIFESTS = {
    "bitrix24": "leadgate.integrations.bitrix24.manifest",
    "telegram": "leadgate.integrations.telegram.manifest",
    "max": "leadgate.integrations.max.manifest",
    "vk": "leadgate.integrations.vk.manifest",
    "whatsapp": "leadgate.integrations.whatsapp.manifest",
    "instagram": "leadgate.integrations.instagram.manifest",
    "avito": "leadgate.integrations.avito.manifest",
    "bot": "leadgate.integrations.bot.manifest",
    "site": "leadgate.integrations.site.manifest",
}
"""Kind and the module that holds its `INTEGRATION`; imported on first use, so that start-up stays quick."""

_CUSTODIANS = {"transit": "leadgate.integrations.openbao.custodian:TransitCustodian"}
"""Custodians of the key encryption key besides the key file, by kind."""


def kinds() -> tuple[str, ...]:
    """All kinds, in the order in which people are offered them."""
    return tuple(_MANIFESTS)


@cache
def get(kind: str) -> Integration:
    """The integration of a kind.

    Raises:
        ConfigurationError: there is no such kind; the message names those there are.
    """
    module_name = _MANIFESTS.get(kind)
    if module_name is None:
        raise ConfigurationError(
            f"There is no integration of this kind. Known kinds: {', '.join(kinds())}.",
            code="configuration.kind",
        )
    integration = import_module(module_name).INTEGRATION
    if not isinstance(integration, Integration) or integration.manifest.kind != kind:
        raise ConfigurationError(f"{module_name} does not hold the integration of kind {kind}.")
    return integration


def visitor_tokens(ids: IdSource) -> Any:  # noqa: ANN401 -- its Protocol belongs to the web, above
    """Who may talk in the site's widget, for `web.site_chat` (its Protocol is `Visitors`)."""
    return import_module("leadgate.integrations.site.tokens").VisitorTokens(ids)


def custodian(kind: str, settings: Mapping[str, str], secrets: Mapping[str, Secret]) -> Custodian:
    """A custodian of the key encryption key that is no file.

    Raises:
        ConfigurationError: there is no such kind, or its settings are wrong.
    """
    if kind not in _CUSTODIANS:
        raise ConfigurationError(
            f"There is no custodian {kind!r}. Known: file, {', '.join(_CUSTODIANS)}.", code="custodian.kind"
        )
    module, _, name = _CUSTODIANS[kind].partition(":")
    made: Custodian = getattr(import_module(module), name)(settings, secrets)
    return made


def notifier(own_hosts: Callable[[], frozenset[str]] = frozenset) -> Notifier:
    """What sends alarms to the people in charge; `own_hosts` tells which hosts of the own network may be called now."""
    made: Notifier = import_module("leadgate.integrations.apprise_notifier.notifier").AppriseNotifier(
        own_hosts=own_hosts
    )
    return made
