"""Who is meant by an id, a phone, an e-mail or a user name: just enough for an order to erase."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from leadgate.crm.identity import Identities
from leadgate.intake.phones import find_e164
from leadgate.ports.stores import Transaction
from leadgate.vault.envelope import Vault


def find_people(tx: Transaction, vault: Vault, identifier: str, *, channels: Iterable[str]) -> Sequence[str]:
    """The subjects that stand for the people who are known by this, each once; nobody when nobody is.

    Args:
        identifier: `subj_…`, a phone in any writing, an e-mail or a user name with or without "@".
        channels: words of the channels in which user names and the channels' own ids are looked for.
    """
    wanted = identifier.strip()
    if wanted.startswith("subj_"):
        return [Identities.root(tx, wanted)]
    marks = [("email", wanted.casefold())]
    phone = find_e164(wanted)
    if phone is not None:
        marks.append(("phone", phone))
    name = wanted.removeprefix("@")
    for channel in channels:
        marks += [(f"username:{channel}", name.casefold()), (f"sender:{channel}", name)]
    found = (tx.subjects.find_by(kind, vault.index(tx.workspace_id, kind, value)) for kind, value in marks if value)
    return list(dict.fromkeys(Identities.root(tx, subject_id) for subject_id in found if subject_id is not None))
