"""Asking a vendor with secrets that are not in use yet, through ports of their own: what is in use is not disturbed."""

from __future__ import annotations

from leadgate.model.connections import CheckReport, Finding, FindingState, OpenConnection
from leadgate.ports.integration import Integration, Surroundings

_READY = Finding("connection.ready", FindingState.OK, "The connection is ready; nobody has to be asked.")


class VendorSide:
    """The vendor of a connection, asked with any secrets."""

    def __init__(self, surroundings: Surroundings, *, public_url: str | None) -> None:
        """Tell vendors to reach us under this address; None: nobody can."""
        self._surroundings = surroundings
        self._public_url = public_url

    @property
    def is_reachable(self) -> bool:
        """True when vendors can be told an address."""
        return self._public_url is not None

    async def ask(self, integration: Integration, opened: OpenConnection) -> CheckReport:
        """Are these secrets good? At a CRM this also reads, harmlessly; nothing is changed anywhere."""
        if integration.open_crm is not None:
            crm = integration.open_crm(opened, self._surroundings)
            try:
                return await crm.check()
            finally:
                await crm.close()
        if integration.open_channel is not None:
            channel = integration.open_channel(opened, self._surroundings)
            try:
                return await channel.check()
            finally:
                await channel.close()
        return CheckReport((_READY,))

    async def register(self, integration: Integration, opened: OpenConnection) -> CheckReport | None:
        """Tell the vendor our address with the first of these secrets; None when there is nobody or no address to tell."""
        if integration.open_channel is None or self._public_url is None:
            return None
        connection = opened.connection
        channel = integration.open_channel(opened, self._surroundings)
        try:
            return await channel.register(f"{self._public_url}/webhooks/{connection.kind}/{connection.connection_id}")
        finally:
            await channel.close()
