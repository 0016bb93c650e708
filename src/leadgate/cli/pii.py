"""`leadgate pii spans|mask`: JSON lines in, JSON lines out (contract, section 5)."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Annotated

from cyclopts import Parameter

from leadgate.cli.options import NO_OPTIONS, Common
from leadgate.errors import ConfigurationError
from leadgate.privacy.detect.detector import find
from leadgate.privacy.detect.detector import mask as mask_text
from leadgate.privacy.detect.spans import Span


def spans(
    *,
    explain: Annotated[
        bool, Parameter(help="Say of each span which rule found it, by which word.", negative=())
    ] = False,
    common: Common = NO_OPTIONS,  # noqa: ARG001 -- every command takes these; the output is JSON lines anyway
) -> int:
    """Find personal data: {"id", "text"} a line in, {"id", "spans"} a line out, in the same order. Needs no data directory.

    Example: cat messages.jsonl | leadgate pii spans
    """
    for number, text in _read():
        _print({"id": number, "spans": [_document(span, explain=explain) for span in find(text)]})
    return 0


def mask(
    *,
    common: Common = NO_OPTIONS,  # noqa: ARG001 -- every command takes these; the output is JSON lines anyway
) -> int:
    """Mask personal data: {"id", "text"} a line in, the same with placeholders out. Needs no data directory.

    Example: cat messages.jsonl | leadgate pii mask
    """
    for number, text in _read():
        _print({"id": number, "text": mask_text(text)})
    return 0


def _document(span: Span, *, explain: bool) -> dict[str, object]:
    document: dict[str, object] = {"start": span.start, "end": span.end, "label": span.label.value}
    if explain:
        document |= {"rule": span.rule, "cue": span.cue, "check": span.is_checked}
    return document


def _read() -> Iterator[tuple[object, str]]:
    for number, line in enumerate(sys.stdin.buffer, 1):
        if not line.strip():
            continue
        try:
            document = json.loads(line)
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict) or not isinstance(document.get("text"), str):
            raise ConfigurationError(
                f"Line {number} is not a JSON object with a text.", hint='Each line is {"id": …, "text": "…"}.'
            )
        yield document.get("id"), document["text"]


def _print(document: dict[str, object]) -> None:
    line = json.dumps(document, ensure_ascii=False)
    try:
        line.encode()
    except UnicodeEncodeError:  # half a surrogate pair, as some programs send it
        line = json.dumps(document)
    sys.stdout.buffer.write(line.encode() + b"\n")
    sys.stdout.buffer.flush()
