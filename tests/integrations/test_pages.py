"""Each messenger's page, its codes and the words for them, held together for all of them at once."""

import re
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

import leadgate
from leadgate import registry
from leadgate.catalogue.vendors import VendorWords
from leadgate.model.connections import FindingState

FOLDERS = Path(leadgate.__file__).parent / "integrations"
PAGES = Path(__file__).parents[2] / "docs" / "integrations"


@dataclass(frozen=True)
class Messenger:
    """What a channel says, in three places."""

    kind: str

    @property
    def source(self) -> str:
        """All its modules."""
        return "".join(path.read_text("utf-8") for path in sorted((FOLDERS / self.kind).glob("*.py")))

    @property
    def codes(self) -> set[str]:
        """Codes that it makes."""
        flow = registry.get(self.kind).manifest.flow
        hosts = set() if flow is None else set(flow.hosts)
        return set(re.findall(rf'"({self.kind}\.[a-z_]+)"', self.source)) - hosts

    @property
    def page(self) -> str:
        """What people read."""
        return (PAGES / f"{self.kind}.md").read_text("utf-8")

    @property
    def words(self) -> VendorWords:
        """Meanings and Russian findings."""
        return msgspec.json.decode((FOLDERS / self.kind / "words.json").read_bytes(), type=VendorWords)


KINDS = tuple(kind for kind in registry.kinds() if registry.get(kind).open_channel is not None)
every_messenger = pytest.mark.parametrize("messenger", [Messenger(kind) for kind in KINDS], ids=KINDS)


@every_messenger
def test_every_code_and_key_is_on_the_page(messenger: Messenger) -> None:
    """Somebody who meets a code at night finds it, and what to do, on one page."""
    keys = {field.name for field in registry.get(messenger.kind).manifest.fields}
    named = set(re.findall(r"`([a-z_.]+)`", messenger.page))
    assert len(messenger.codes) > 10
    assert (messenger.codes | keys) - named == set()


@every_messenger
def test_every_code_on_the_page_exists(messenger: Messenger) -> None:
    """A page that explains what is long gone misleads."""
    assert set(re.findall(rf"`({messenger.kind}\.[a-z_]+)`", messenger.page)) - messenger.codes == set()


@every_messenger
def test_every_code_has_words(messenger: Messenger) -> None:
    """A code without words is shown as a riddle, words without a code are never shown."""
    words = messenger.words
    meant = {code for codes in words.meanings.values() for code in codes}
    told = {code.removesuffix(".cure") for code in words.findings_ru}
    assert messenger.codes - meant - told == set()
    assert {code for code in meant | told if not code[-1].isdigit()} - messenger.codes == set()


@every_messenger
def test_what_is_wrong_comes_with_a_cure(messenger: Messenger) -> None:
    """Only what is well may stand without one, and that is what the source calls so."""
    words = messenger.words.findings_ru
    bare = {code for code in words if not code.endswith(".cure") and f"{code}.cure" not in words}
    well = set(re.findall(rf'"({messenger.kind}\.[a-z_]+)",\s*{FindingState.__name__}\.OK', messenger.source))
    assert bare - well == set()
