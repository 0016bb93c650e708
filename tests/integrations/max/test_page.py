import re
from pathlib import Path

import msgspec

from leadgate.catalogue.vendors import VendorWords
from leadgate.integrations.max import manifest

PAGE = Path(__file__).parents[3] / "docs" / "integrations" / "max.md"
FOLDER = Path(manifest.__file__).parent
SOURCES = "".join(path.read_text("utf-8") for path in FOLDER.glob("*.py"))
CODES = set(re.findall(r'"(max\.[a-z_]+)"', SOURCES))


def test_every_code_and_key_is_on_the_page() -> None:
    """Somebody who meets a code at night finds it, and what to do, on one page."""
    keys = {field.name for field in manifest.INTEGRATION.manifest.fields}
    named = set(re.findall(r"`([a-z_.]+)`", PAGE.read_text("utf-8")))
    assert len(CODES) > 20
    assert (CODES | keys) - named == set()


def test_every_code_on_the_page_exists() -> None:
    """A page that explains what is long gone misleads."""
    assert set(re.findall(r"`(max\.[a-z_]+)`", PAGE.read_text("utf-8"))) - CODES == set()


def test_every_code_has_words() -> None:
    """A code without words is shown as a riddle."""
    words = msgspec.json.decode((FOLDER / "words.json").read_bytes(), type=VendorWords)
    meant = {code for codes in words.meanings.values() for code in codes}
    told = {code.removesuffix(".cure") for code in words.findings_ru}
    assert CODES - meant - told == set()
    assert (meant | told) - CODES == set()
    assert {code for code in told if f"{code}.cure" not in words.findings_ru} == {
        "max.token_good",
        "max.webhook_set",
    }
