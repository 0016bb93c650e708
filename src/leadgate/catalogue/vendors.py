"""What each vendor's codes mean, read from `words.json` in its folder: data only, so that a channel brings its own words."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec


class VendorWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file `integrations/{vendor}/words.json`.

    Attributes:
        meanings: codes by their meaning (`catalogue.meanings`).
        findings_ru: what a check found, by code; with `.cure` behind it, what to do. English speaks for itself (`Finding.text`).
        same_as: codes that the vendor writes in statuses of messages, and the code of ours that means the same.
    """

    meanings: Mapping[str, tuple[str, ...]] = {}
    findings_ru: Mapping[str, str] = {}
    same_as: Mapping[str, str] = {}


@cache
def vendor_words() -> tuple[VendorWords, ...]:
    """The words of every vendor that has any."""
    folders = sorted(resources.files("leadgate.integrations").iterdir(), key=lambda folder: folder.name)
    files = (folder / "words.json" for folder in folders if folder.is_dir())
    return tuple(msgspec.json.decode(file.read_bytes(), type=VendorWords) for file in files if file.is_file())
