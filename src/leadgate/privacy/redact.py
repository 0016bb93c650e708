"""The one choke point: free text that leaves the house is a `RedactedText`, and only `redact` makes it.

Who reads it decides what is masked (`policies`). When the filter itself fails, nothing of the text leaves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NewType

from leadgate.errors import PrivacyError
from leadgate.observability import get_logger, metrics
from leadgate.privacy.detect.detector import find, replace_spans
from leadgate.privacy.detect.spans import Label
from leadgate.privacy.policies import DEFAULT_POLICIES, Policies, Purpose

RedactedText = NewType("RedactedText", str)
"""Text without personal data that its reader does not need."""

_log = get_logger("privacy")
_NO_WORDS: Mapping[Label, str] = {}


def redact(
    text: str,
    purpose: Purpose = Purpose.CRM_COMMENT,
    policies: Policies = DEFAULT_POLICIES,
    *,
    words: Mapping[Label, str] = _NO_WORDS,
    tally: Counter[Label] | None = None,
) -> RedactedText:
    """Mask what this reader does not need: for a CRM `карта 4111 1111 1111 1111` becomes `карта [CARD_1]`.

    The same value gets the same number. A second call changes nothing.

    Args:
        policies: what holds now (`rules.LiveRules`); the product's default where nobody decides.
        words: what stands for a kind in people's language instead of `[HEALTH_1]`.
        tally: counts what was masked, by kind.

    Raises:
        PrivacyError: the filter failed (`privacy.filter_failed`); the text must not go anywhere.
    """
    passes = policies.passes(purpose)
    try:
        spans = [span for span in find(text) if span.label not in passes]
        masked = replace_spans(text, spans, words)
    except Exception as error:
        # Whatever is wrong with the filter: a text that was not read to its end does not leave.
        _log.exception("privacy.filter_failed")
        metrics.crashes.labels("privacy").inc()
        raise PrivacyError("The filter of personal data failed.", code="privacy.filter_failed") from error
    if tally is not None:
        tally.update(span.label for span in spans)
    return RedactedText(masked)


def own_words(text: str) -> RedactedText:
    """Words of the house itself, from the catalogue and without anything a client said: there is nothing in them to mask."""
    return RedactedText(text)
