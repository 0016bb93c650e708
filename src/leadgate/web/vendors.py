"""What the pages call the vendors: title and mark by kind, in the language of the page."""

from __future__ import annotations

from dataclasses import dataclass

from leadgate.ports.integration import Manifest
from leadgate.web.access import Connection
from leadgate.web.sheet import house_of, words_of


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor's title, its two or three letters, and whether it posts to an address of ours."""

    title: str
    mark: str
    posts_to_us: bool


def title_of(manifest: Manifest, locale: str) -> str:
    """The title in a language."""
    return manifest.title if locale == "en" else manifest.title_ru


def vendors_of(request: Connection) -> dict[str, Vendor]:
    """Every kind's vendor."""
    locale = words_of(request).locale
    return {
        manifest.kind: Vendor(
            title_of(manifest, locale), manifest.mark, manifest.webhook_secret is not None or manifest.public_url_needed
        )
        for manifest in house_of(request).connections.kinds()
    }


def vendor_or_kind(vendors: dict[str, Vendor], kind: str) -> Vendor:
    """The vendor of a kind; a kind that is no longer offered goes by its own name."""
    return vendors.get(kind) or Vendor(kind, kind[:3].upper(), posts_to_us=False)
