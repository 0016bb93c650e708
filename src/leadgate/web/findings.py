"""The words of what a live check found, in the language of the page.

In English a finding speaks for itself; other languages take the catalogue's words, and for a code without any the sentence that
explains it everywhere else.
"""

from __future__ import annotations

from collections.abc import Callable

from leadgate.model.connections import Finding
from leadgate.web.catalogue import Catalogue
from leadgate.web.explain import explain

Tell = Callable[[Finding, str], tuple[str, str]]


def teller(words: Catalogue) -> Tell:
    """What templates call with a finding and the vendor's title; gives what was found and the cure, which may be empty."""

    def tell(finding: Finding, who: str) -> tuple[str, str]:
        return _tell(words, finding, who)

    return tell


def _tell(words: Catalogue, finding: Finding, who: str) -> tuple[str, str]:
    key, why = f"finding.{finding.code}", explain(finding.code)
    if words.has(key):
        cure = f"{key}.cure"
        return words(key), words(cure) if finding.cure and words.has(cure) else finding.cure
    if words.locale != "en" and why.is_known:
        return words(why.headline, who=who), words(why.cure, who=who) if finding.cure else ""
    return finding.text, finding.cure
