"""Words about health: whether there are some. They are masked by `redact`; here is only asked, to stay away from the subject."""

from __future__ import annotations

from leadgate.observability import metrics
from leadgate.privacy.detect.detector import find
from leadgate.privacy.detect.spans import Label


def mentions_health(text: str, *, otherwise: bool) -> bool:
    """True when somebody speaks of health; `otherwise` is the answer when the filter fails, so that the conversation goes on."""
    try:
        return any(span.label is Label.HEALTH for span in find(text))
    except Exception:  # noqa: BLE001 - whatever is wrong with the filter; `redact` tells of it
        metrics.crashes.labels("privacy").inc()
        return otherwise
