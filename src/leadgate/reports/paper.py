"""Makes a paper: a Typst template of `papers/` and data become a PDF/A file. Nothing is fetched and nothing is run."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from leadgate.errors import ConfigurationError

_FOLDER = "papers"


def print_paper(template: str, data: Mapping[str, Any], *, at: datetime) -> bytes:
    """The PDF of a paper.

    Args:
        template: a file of `papers/` without its ending, for instance `erasure_act`.
        data: what the template reads with `json(bytes(sys.inputs.data))`; texts stay texts, nothing in them is markup.
        at: date of the document, aware; equal calls give equal bytes.

    Raises:
        ConfigurationError: the template cannot be printed with this data (`report.failed`).
    """
    import typst  # noqa: PLC0415 -- 40 MB that only those need who print

    with resources.as_file(resources.files("leadgate.reports").joinpath(_FOLDER)) as folder:
        try:
            paper: bytes = typst.compile(
                str(Path(folder) / f"{template}.typ"),
                root=str(folder),
                format="pdf",
                ignore_system_fonts=True,
                sys_inputs={"data": msgspec.json.encode(data).decode()},
                pdf_standards="a-2b",
                timestamp=int(at.timestamp()),
            )
        except (typst.TypstError, RuntimeError) as error:
            # The text of the error may quote the data.
            raise ConfigurationError("The paper cannot be printed.", code="report.failed") from error
    return paper
