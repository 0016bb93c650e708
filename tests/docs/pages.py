"""Reading the documents: which there are, their links, and the commands that they show."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_NOT_OURS = {".venv", "build", "dist", "node_modules", ".git", ".hypothesis", ".pytest_cache"}
_FENCE = re.compile(r"^\s*```(?P<kind>[a-z]*)\n(?P<body>.*?)^\s*```", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^()\s]+)\)")


def all_pages() -> list[Path]:
    """Every Markdown file of ours."""
    return sorted(path for path in ROOT.rglob("*.md") if not _NOT_OURS & set(path.relative_to(ROOT).parts))


def read(path: Path) -> str:
    """The text of a page."""
    return path.read_text(encoding="utf-8")


def prose(text: str) -> str:
    """The text without its fenced blocks, where brackets mean something else."""
    return _FENCE.sub("", text)


def links(text: str) -> list[str]:
    """Targets of links, without those to other sites."""
    return [link for link in _LINK.findall(prose(text)) if "://" not in link and not link.startswith("mailto:")]


def anchors(text: str) -> set[str]:
    """Names of the headings, as they stand behind `#` in a link."""
    titles = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def inline_code(text: str) -> list[str]:
    """Everything between single backticks."""
    return _INLINE.findall(prose(text))


def shell_lines(text: str) -> Iterator[str]:
    """Lines of blocks that a reader types, with their continuations joined."""
    for block in _FENCE.finditer(text):
        if block["kind"] in {"", "console", "sh"}:
            yield from block["body"].replace("\\\n", " ").splitlines()


def commands(text: str, program: str) -> Iterator[list[str]]:
    """The arguments of every call of `program` that the page shows, in blocks and between backticks."""
    for line in (*shell_lines(text), *inline_code(text)):
        try:
            words = shlex.split(line, comments=True)
        except ValueError:  # a drawing, not a command
            continue
        for number, word in enumerate(words):
            is_first = number == 0 or words[number - 1] in {"&&", "|", "sudo"}
            if word.endswith(f"/bin/{program}") or (word == program and is_first):
                yield words[number + 1 :]
