"""What the pages call the vendors: title and mark by kind, in the language of the page."""

from __future__ import annotations

from dataclasses import dataclass

from leadgate.ports.integration import Manifest
from leadgate.web.access import Connection
from leadgate.web.sheet import house_of, words_of


@dataclass(frozen=True, slots=True)
class Vendor:
    """What a page says of a vendor.

    Attributes:
        mark: two or three letters instead of a logo.
        posts_to_us: it needs an address of ours.
        has_widget: it is the chat of the salon's own site.
    """

    title: str
    mark: str
    posts_to_us: bool = False
    has_widget: bool = False

    @property
    def brings_messages(self) -> bool:
        """True for channels; a CRM only takes leads."""
        return self.posts_to_us or self.has_widget


def title_of(manifest: Manifest, locale: str) -> str:
    """The title in a language."""
    return manifest.title if locale == "en" else manifest.title_ru


def vendors_of(request: Connection) -> dict[str, Vendor]:
    """Every kind's vendor."""
    locale = words_of(request).locale
    return {manifest.kind: vendor_of(manifest, locale) for manifest in house_of(request).connections.kinds()}


def vendor_of(manifest: Manifest, locale: str) -> Vendor:
    """The vendor in a language."""
    return Vendor(
        title_of(manifest, locale),
        manifest.mark,
        posts_to_us=not manifest.client_pulls and (manifest.webhook_secret is not None or manifest.public_url_needed),
        has_widget=manifest.client_pulls,
    )


def vendor_or_kind(vendors: dict[str, Vendor], kind: str) -> Vendor:
    """The vendor of a kind; a kind that is no longer offered goes by its own name."""
    return vendors.get(kind) or Vendor(kind, kind[:3].upper())
