"""The widget's files as browsers fetch them: one script with its texts and styles inside, made once.

Sources: `static/widget_talk.js`, `static/widget.js`, `static/widget.css` and `widget.*.json` of the catalogue.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from leadgate.catalogue.texts import LOCALES, read_file

_HERE = Path(__file__).parent
LANGUAGES = LOCALES
"""Languages of the widget and the chat page, the first one is the default."""

MAX_AGE_S = 3600


@dataclass(frozen=True, slots=True)
class Asset:
    """A file to serve.

    Attributes:
        packed: `body` under gzip.
        etag: quoted; changes with the content.
    """

    media_type: str
    body: bytes = field(repr=False)
    packed: bytes = field(repr=False)
    etag: str

    @staticmethod
    def of(text: str, media_type: str) -> Asset:
        """The asset of this text."""
        body = text.encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        return Asset(media_type, body, gzip.compress(body, mtime=0), etag)


def texts(language: str) -> Mapping[str, Mapping[str, str]]:
    """Texts by part (`widget`, `page`) and name; in the default language when `language` is unknown."""
    return read_file("widget", language)


@cache
def script() -> Asset:
    """`widget.js`: both halves of the source in one function, so that names of the page stay untouched."""
    setup = {"styles": _styles(), "texts": {language: texts(language)["widget"] for language in LANGUAGES}}
    halves = [(_HERE / "static" / name).read_text(encoding="utf-8") for name in ("widget_talk.js", "widget.js")]
    lines = [
        "(() => {",
        '"use strict";',
        f"const SETUP = {json.dumps(setup, ensure_ascii=False)};",
        *halves,
        "})();",
        "",
    ]
    return Asset.of("\n".join(lines), "text/javascript")


@cache
def stylesheet() -> Asset:
    """`widget.css`: for browsers that cannot take styles from the script."""
    return Asset.of(_styles(), "text/css")


def _styles() -> str:
    return (_HERE / "static" / "widget.css").read_text(encoding="utf-8")
