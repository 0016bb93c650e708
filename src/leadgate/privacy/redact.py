"""The one choke point: free text that leaves the house is a `RedactedText`, and only `redact` makes it.

Who reads it decides what is masked (`policies`). When the filter itself fails, nothing of the text leaves.
"""

from __future__ import annotations

from typing import NewType

from leadgate.errors import PrivacyError
from leadgate.observability import get_logger, metrics
from leadgate.privacy.detect.detector import find, replace_spans
from leadgate.privacy.policies import POLICIES, Purpose

RedactedText = NewType("RedactedText", str)
"""Text without personal data that its reader does not need."""

_log = get_logger("privacy")


def redact(text: str, purpose: Purpose = Purpose.CRM) -> RedactedText:
    """Mask what this reader does not need: for a CRM `карта 4111 1111 1111 1111` becomes `карта [CARD_1]`.

    The same value gets the same number. A second call changes nothing.

    Raises:
        PrivacyError: the filter failed (`privacy.filter_failed`); the text must not go anywhere.
    """
    passes = POLICIES[purpose].passes
    try:
        return RedactedText(replace_spans(text, [span for span in find(text) if span.label not in passes]))
    except Exception as error:
        # Whatever is wrong with the filter: a text that was not read to its end does not leave.
        _log.exception("privacy.filter_failed")
        metrics.crashes.labels("privacy").inc()
        raise PrivacyError("The filter of personal data failed.", code="privacy.filter_failed") from error


def own_words(text: str) -> RedactedText:
    """Words of the house itself, from the catalogue and without anything a client said: there is nothing in them to mask."""
    return RedactedText(text)
