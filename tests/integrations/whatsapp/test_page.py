import re
from pathlib import Path

from leadgate.integrations import whatsapp
from leadgate.integrations.whatsapp.manifest import INTEGRATION

PAGE = Path(__file__).parents[3] / "docs" / "integrations" / "whatsapp.md"
CODE = re.compile(r'"(whatsapp\.[a-z_]+)"')


def test_every_code_and_key_is_on_the_page() -> None:
    """Somebody who meets a code at night finds it, and what to do, on one page."""
    sources = "".join(path.read_text("utf-8") for path in Path(whatsapp.__path__[0]).glob("*.py"))
    codes = set(CODE.findall(sources))
    keys = {field.name for field in INTEGRATION.manifest.fields}
    named = set(re.findall(r"`([a-z_.]+)`", PAGE.read_text("utf-8")))
    assert len(codes) > 35
    assert (codes | keys) - named == set()


def test_every_code_on_the_page_exists() -> None:
    """A page that explains what is long gone misleads."""
    sources = "".join(path.read_text("utf-8") for path in Path(whatsapp.__path__[0]).glob("*.py"))
    assert {
        code for code in re.findall(r"`(whatsapp\.[a-z_]+)`", PAGE.read_text("utf-8")) if code not in sources
    } == set()
