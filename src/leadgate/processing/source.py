"""Where an event came from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from leadgate.model.connections import OpenConnection
from leadgate.ports.integration import Integration


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where an event came from, and which CRM its lead goes to."""

    opened: OpenConnection
    integration: Integration
    crm_connection_id: str | None

    @property
    def connection_id(self) -> str:
        """Of the channel."""
        return self.opened.connection.connection_id

    def name_of_message(self, chat_id: str | None, message_id: str) -> str:
        """The vendor's name of a message that is unique within the connection; some count messages per chat."""
        if self.integration.manifest.message_ids_per_chat:
            return f"{chat_id}:{message_id}"
        return message_id


FindSource = Callable[[str], Source | None]
"""The source of a connection id; None when the connection is not known."""
