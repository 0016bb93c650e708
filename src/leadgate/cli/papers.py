"""Writes what a command prints on paper: readable by its owner alone, and never half."""

from __future__ import annotations

import os
from pathlib import Path

from leadgate.errors import ConfigurationError


def write_paper(path: Path, content: bytes) -> None:
    """Put a document into a file (mode 0600), in the place of an older one.

    Raises:
        ConfigurationError: it cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}.", code="report.not_written", hint="Name another file."
        ) from None
