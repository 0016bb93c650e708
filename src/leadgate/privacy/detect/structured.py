"""Everything with digits or a fixed form, by rules: phones, e-mail, papers, cards, accounts, birth dates, user names, plates, IP.

Names, addresses and health are found elsewhere. Each rule runs only where a sign of it stands in the text, and each is linear.
"""

from __future__ import annotations

import re

from leadgate.privacy.detect.birthdates import find_birthdates
from leadgate.privacy.detect.documents import find_lettered_passports, find_split_passports
from leadgate.privacy.detect.emails import find_emails
from leadgate.privacy.detect.fold import Folded
from leadgate.privacy.detect.handles import find_handles
from leadgate.privacy.detect.ips import find_ips
from leadgate.privacy.detect.numbers import find_numbers
from leadgate.privacy.detect.plates import find_plates
from leadgate.privacy.detect.spans import Span

_A_DIGIT = re.compile("[0-9]")


def find_structured(folded: Folded) -> list[Span]:
    """The finds in places of the folded text, the surest first; those given later may overlap earlier ones."""
    lower = folded.text.lower()
    spans = find_emails(lower)
    spans += find_handles(lower, spans)
    digits = lower
    if _A_DIGIT.search(folded.digits) is not None:
        digits = folded.digits.lower()
        spans += find_ips(lower, digits)
        spans += find_split_passports(digits)
        spans += find_lettered_passports(folded.text, lower)
    spans += find_plates(folded.text, lower)
    spans += find_numbers(digits, [(span.start, span.end) for span in spans])
    return spans + find_birthdates(folded.text, digits, spans)
