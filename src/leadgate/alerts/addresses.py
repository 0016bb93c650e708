"""Where alarms are sent: adding, trying and removing addresses. An address holds secrets and is kept sealed."""

from __future__ import annotations

from dataclasses import replace

from leadgate.alerts.raising import messages_due
from leadgate.alerts.telling import UNREADABLE, well
from leadgate.alerts.wording import Voice, kept_outside, tell, trial
from leadgate.errors import ConfigurationError, NotFoundError, VaultError
from leadgate.model.alerts import AddressTrial, Alert, AlertOverview, AlertState, AlertTarget, AlertWords
from leadgate.model.secret import Secret
from leadgate.observability import get_logger
from leadgate.ports.clock import Clock, IdSource
from leadgate.ports.notifier import Message, Notifier
from leadgate.ports.stores import Storage, Transaction
from leadgate.vault.envelope import SECRETS, Vault

LOOKED = "looked"
"""Topic of the note that says when a worker last looked for trouble."""

MAX_NAME_LENGTH = 80
MAX_ADDRESS_LENGTH = 2000
_log = get_logger("alerts")


def open_address(vault: Vault, tx: Transaction, target: AlertTarget) -> Secret:
    """The address itself, for the one call that needs it.

    Raises:
        VaultError: it cannot be opened.
    """
    return Secret(vault.open(tx, SECRETS, _place(target.target_id), target.sealed_address).decode())


class AlertAddresses:
    """See `web.house.Alerts`."""

    def __init__(
        self, storage: Storage, vault: Vault, notifier: Notifier, *, voice: Voice, clock: Clock, ids: IdSource
    ) -> None:
        """Try addresses through this notifier."""
        self._storage = storage
        self._vault = vault
        self._notifier = notifier
        self._voice = voice
        self._clock = clock
        self._ids = ids

    async def overview(self) -> AlertOverview:
        """What is raised now and where it is sent."""

        def read(tx: Transaction) -> AlertOverview:
            alerts, targets = tx.alerts.all(), tx.alerts.targets()
            looked = tx.alerts.find_note(LOOKED)
            due = messages_due(alerts, targets, tx.alerts.told())
            return AlertOverview(
                alerts=[alert for alert in alerts if alert.state is AlertState.RAISED],
                solved=sorted(
                    (alert for alert in alerts if alert.state is not AlertState.RAISED),
                    key=lambda alert: alert.solved_at or alert.told_at,
                    reverse=True,
                ),
                targets=targets,
                unsent=sum(kind is not None for _, _, kind in due),
                looked_at=None if looked is None else looked.at,
            )

        return await self._storage.read(read)

    def explain(self, alert: Alert) -> Message:
        """The alarm in words: what happened, since when, how many wait, what to do."""
        words = self.tell(alert)
        return Message(title=words.title, body=f"{words.since} {words.cure}".rstrip())

    def tell(self, alert: Alert) -> AlertWords:
        """The alarm in parts, for a page."""
        return tell(alert, self._voice, now=self._clock.now())

    async def add(self, address: Secret, *, name: str | None, by: str) -> AlertTarget:
        """Keep an address; what is raised now is told to it within seconds by a running worker.

        Raises:
            ConfigurationError: no service has such an address, or the name is wrong; the address is never repeated.
            ConflictError: another address has the name.
        """
        if not 0 < len(address.reveal()) <= MAX_ADDRESS_LENGTH:
            raise ConfigurationError("The address is empty or too long.", code="alert.address_wrong")
        service = self._notifier.service_of(address)
        target_id, at = self._ids.new("addr"), self._clock.now()

        def unit(tx: Transaction) -> AlertTarget:
            target = AlertTarget(
                target_id=target_id,
                name=_checked_name(name) if name is not None else _free_name(tx, service),
                service=service,
                created_at=at,
                sealed_address=self._vault.seal(tx, SECRETS, _place(target_id), address.reveal().encode()),
            )
            tx.alerts.add_target(target)
            return target

        target = await self._storage.write(unit)
        _log.info("alert.address_added", kind=service, action=by)
        return target

    async def remove(self, target_id: str, *, by: str) -> None:
        """Forget an address.

        Raises:
            NotFoundError: there is none of this id.
        """

        def unit(tx: Transaction) -> None:
            if not tx.alerts.remove_target(target_id):
                raise NotFoundError(f"There is no address {target_id}.", hint="See: leadgate alerts list")

        await self._storage.write(unit)
        _log.info("alert.address_removed", action=by)

    async def send_checkpoint(self, checkpoint: str) -> int:
        """Send the journal's newest signed checkpoint to every address, so that it is kept outside; how many took it.

        It is no alarm: one that does not take it is not tried again, the next day brings a newer one.
        """
        targets = await self._storage.read(lambda tx: tx.alerts.targets())
        outcomes = [await self._hand_over(target, kept_outside(checkpoint, self._voice)) for target in targets]
        return outcomes.count(None)

    async def test(self, target_id: str | None = None) -> list[AddressTrial]:
        """Send a trial message to one address or to every one, one after another, and remember how it ended.

        Raises:
            NotFoundError: there is no address of this id.
        """
        targets = await self._storage.read(lambda tx: tx.alerts.targets())
        chosen = [target for target in targets if target_id in {None, target.target_id}]
        if target_id is not None and not chosen:
            raise NotFoundError(f"There is no address {target_id}.", hint="See: leadgate alerts list")
        return [await self._try(target) for target in chosen]

    async def _hand_over(self, target: AlertTarget, message: Message) -> str | None:
        try:
            address = await self._storage.read(lambda tx: open_address(self._vault, tx, target))
        except VaultError:
            return UNREADABLE
        return await self._notifier.send(address, message)

    async def _try(self, target: AlertTarget) -> AddressTrial:
        error_code = await self._hand_over(target, trial(self._voice))
        now = self._clock.now()
        # One that takes it is tried again at once with what it has missed; one that does not is no failed alarm yet.
        tried = well(target, at=now) if error_code is None else replace(target, last_error=error_code)
        await self._storage.write(lambda tx: tx.alerts.set_target(tried))
        _log.info("alert.tried", kind=target.service, error_code=error_code)
        return AddressTrial(target.target_id, target.name, error_code)


def _place(target_id: str) -> str:
    return f"alert_targets.address:{target_id}"


def _checked_name(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME_LENGTH:
        raise ConfigurationError(
            f"An address needs a name of 1 to {MAX_NAME_LENGTH} characters.", code="alert.name_wrong"
        )
    return name


def _free_name(tx: Transaction, service: str) -> str:
    """The service's name; the second of a service is number 2."""
    taken = {target.name for target in tx.alerts.targets()}
    return next(
        name
        for number in range(1, len(taken) + 2)
        if (name := service if number == 1 else f"{service} {number}") not in taken
    )
