"""What an error code means for the salon: a sentence of the catalogue by meaning, never a bare code. Tables only.

Codes nobody has described yet get an honest sentence, and the code as small print.
"""

from __future__ import annotations

from dataclasses import dataclass

from leadgate.catalogue.meanings import GENERIC, MEANINGS, meaning_of

__all__ = ["MEANINGS", "Explanation", "explain"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """An error code in words.

    Attributes:
        headline, text: keys of the catalogue; they take `who`.
        cure: key of what a person does.
        code: for the small print.
        is_known: False when only the code can be told.
    """

    headline: str
    text: str
    cure: str
    code: str
    is_known: bool


def explain(code: str) -> Explanation:
    """The words for a code, also for one nobody has described."""
    meaning = meaning_of(code)
    return Explanation(f"error.{meaning}", f"error.{meaning}.text", f"cure.{meaning}", code, meaning != GENERIC)
