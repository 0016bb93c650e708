"""Our address among the callback servers of the community: asked for, entered and taken away. Findings are made in `standing.py`.

A community may have up to ten servers, each with its own secret and events; those of other programs are never touched.
"""

from __future__ import annotations

from collections.abc import Mapping

from leadgate.intake.untrusted import identifier_at, text_at
from leadgate.integrations.vk import standing
from leadgate.integrations.vk.settings import WEBHOOK_SECRET, find_group_id
from leadgate.integrations.vk.wire import VkApi, is_done
from leadgate.model.connections import CheckReport, Finding, FindingState, OpenConnection
from leadgate.model.secret import Secret
from leadgate.wire.client import Answered, Call

TITLE = "Leadgate"
"""How the server is called at VK, which takes 14 characters."""


class CallbackServers:
    """The servers of one community; a key without the right to manage can only tell what a person has to do."""

    def __init__(self, api: VkApi, connection: OpenConnection) -> None:
        """Ask through this API for this connection."""
        self._api = api
        self._connection = connection
        self._group_id = find_group_id(connection) or ""

    async def check(self) -> CheckReport:
        """What is found; nothing is changed."""
        account = standing.account_finding(await self._api.call("groups.getById", {}), self._connection)
        if account.state is FindingState.FAIL:
            return CheckReport((account,))
        rights = standing.rights_finding(await self._api.call("groups.getTokenPermissions", {}))
        servers = await self._list()
        if not is_done(servers):
            found = [account, rights, self._unlisted(servers, None)]
        else:
            found = [account, rights, *await self._findings(standing.find_server(servers, self._connection))]
        return standing.gravest_first(iter(found))

    async def register(self, webhook_url: str) -> CheckReport:
        """Enter our address, or mend it; what VK keeps for us stays."""
        secret = self._connection.secret(WEBHOOK_SECRET)
        if secret is None:
            return CheckReport((standing.SECRET_MISSING,))
        servers = await self._list()
        if not is_done(servers):
            return CheckReport((self._unlisted(servers, webhook_url),))
        server = standing.find_server(servers, self._connection)
        answer = await self._enter(server, webhook_url, secret)
        if not isinstance(answer, Answered) or not is_done(answer):
            return CheckReport((self._refused(answer, webhook_url),))
        server_id = (
            identifier_at(server, "id") if server else identifier_at(answer.body, "response", "server_id")
        ) or ""
        answer = await self._api.call("groups.setCallbackSettings", standing.settings_of(server_id, self._group_id))
        if not is_done(answer):
            return CheckReport((self._refused(answer, webhook_url),))
        return CheckReport(
            (Finding("vk.webhook_set", FindingState.OK, "VK knows our address and asks it to confirm."),)
        )

    async def unregister(self) -> None:
        """Take our server away, best effort."""
        server = standing.find_server(await self._list(), self._connection)
        server_id = identifier_at(server, "id")
        if server_id is not None:
            await self._call("groups.deleteCallbackServer", {"server_id": server_id})

    async def _enter(self, server: Mapping[str, object] | None, webhook_url: str, secret: Secret) -> Call:
        """A new server, or the old one again: entering the address makes VK ask it to confirm."""
        entry = {"url": webhook_url, "title": TITLE, "secret_key": secret.reveal()}
        if server is None:
            return await self._call("groups.addCallbackServer", entry)
        return await self._call("groups.editCallbackServer", entry | {"server_id": identifier_at(server, "id") or ""})

    async def _findings(self, server: Mapping[str, object] | None) -> list[Finding | None]:
        found: list[Finding | None] = [standing.server_finding(server, self._connection)]
        if server is not None:
            settings = {"server_id": identifier_at(server, "id") or ""}
            found.append(standing.events_finding(await self._call("groups.getCallbackSettings", settings)))
        code = await self._call("groups.getCallbackConfirmationCode", {})
        is_confirmed = text_at(server, "status") == "ok"
        found.append(standing.confirmation_finding(code, self._connection, is_confirmed=is_confirmed))
        return found

    def _unlisted(self, answer: Call, webhook_url: str | None) -> Finding:
        if standing.is_missing_right(answer):
            return standing.by_hand_finding(self._connection, webhook_url)
        finding = standing.failure_finding(answer, "VK did not tell where it posts.")
        return Finding(finding.code, FindingState.WARN, finding.text, finding.cure)

    def _refused(self, answer: Call, webhook_url: str) -> Finding:
        if standing.is_missing_right(answer):
            return standing.by_hand_finding(self._connection, webhook_url)
        return standing.failure_finding(answer, "VK did not take our address.")

    async def _list(self) -> Call:
        return await self._call("groups.getCallbackServers", {})

    async def _call(self, method: str, parameters: Mapping[str, str]) -> Call:
        return await self._api.call(method, {"group_id": self._group_id, **parameters})
