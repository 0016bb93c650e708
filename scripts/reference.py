"""Writes `docs/reference/` from the code: `make reference`. With `--check` it writes nothing and says what differs.

What is said there about a setting, a command, a code or a metric is said in the code, beside the thing itself; this script only
sets the pages. What people need to know beyond that stands in `docs/howto` and `docs/runbook`.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from cyclopts import App
from error_codes import VENDORS, find_codes
from rights import rights_page

from leadgate import registry
from leadgate.cli.main import build
from leadgate.model.staff import Role
from leadgate.observability import metrics
from leadgate.observability.logs import FIELDS
from leadgate.ports.integration import Field
from leadgate.settings import CONFIG_FILE, SETTINGS
from leadgate.web.access import may
from leadgate.web.api.router import find_endpoints

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "leadgate"
PAGES = ROOT / "docs" / "reference"
RUNBOOK = ROOT / "docs" / "runbook"
_GENERATED = "<!-- Written by `make reference` from the code; change the code, not this page. -->"
_COMMON = ("--data", "--json", "--debug")
_FIELD_TEXTS = {
    "event": "name of what happened; the tables below list all",
    "level": "`info`, `warning`, `error`",
    "timestamp": "when, UTC",
    "source": "which part of the house writes",
    "action": "`send` or `look_up`; for a connection, who changed it",
    "attempt": "number of the attempt, from 1",
    "came": "requests that came, in a reconciliation",
    "connection_id": "`conn_…`",
    "count": "how many",
    "delivery_id": "`dlv_…`",
    "differences": "how many differences a reconciliation found",
    "duration_ms": "milliseconds",
    "error_code": "one of the [error codes](errors.md)",
    "error_type": "class of an unexpected exception; its text is never written, it may quote a client",
    "event_id": "`evt_…`",
    "facts": "how many facts a webhook held",
    "frames": "where in the code, without values",
    "integration": "kind of the connection",
    "kind": "kind of the delivery, or level of a library's warning",
    "lane_kind": "`crm` or `chat`; never the chat itself",
    "lead_id": "`lead_…`",
    "listen": "the real address we listen on",
    "method": "HTTP method",
    "outcome": "how it ended",
    "request_id": "`req_…`",
    "role": "`all`, `intake`, `worker`, `web`",
    "route": "pattern of the address, never the address",
    "status": "HTTP status of the answer",
    "unknown_fields": "names of fields that are not on this list and were dropped",
    "version": "version of Leadgate",
}


def main() -> int:
    """Write the pages, or with `--check` compare them; 1 when one differs."""
    is_checking = "--check" in sys.argv[1:]
    stale = []
    for name, make in _PAGES.items():
        path, text = (PAGES / name).resolve(), "\n".join([*make(), ""])
        if is_checking and (not path.exists() or path.read_text(encoding="utf-8") != text):
            stale.append(path.relative_to(ROOT).as_posix())
        elif not is_checking:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for path in stale:
        print(f"{path} does not fit the code; run: make reference")
    return 1 if stale else 0


def settings_page() -> Iterator[str]:
    """Every setting of the process."""
    yield from ("# Settings", "", _GENERATED, "")
    yield f"They come from the environment or from `{CONFIG_FILE}` in the data directory; the environment wins."
    yield f'In `{CONFIG_FILE}` the same names stand in lower case without the prefix: `listen = "127.0.0.1:8080"`.'
    yield "A name in the file that is not a setting is an error at the start."
    yield "What a salon changes (connections, services, texts) is not here but in the database."
    yield from (
        "",
        *_table(("setting", "default", "what it is"), ((f"`{s.name}`", s.default, s.text) for s in SETTINGS)),
    )


def cli_page() -> Iterator[str]:
    """Every command with its options and example."""
    yield from ("# Commands", "", _GENERATED, "")
    yield "Exit codes: 0 done, 1 a check found something or the thing asked for failed, 2 wrong use or configuration,"
    yield "3 a needed service cannot be reached."
    yield "An error is one sentence on stderr that says what to do next."
    yield "Secrets never travel in arguments: `--secrets-file FILE`, or `-` for standard input."
    yield from ("", "Every command takes these:", "")
    first = next(command for _, command in _commands(build()))
    yield from _options(first, lambda name: name in _COMMON)
    for path, command in _commands(build()):
        yield from ("", f"## leadgate {path}", "", *_paragraphs(command))
        options = list(_options(command, lambda name: name not in _COMMON))
        if len(options) > 2:  # noqa: PLR2004 - the head of the table and its rule
            yield from ("", *options)


def connections_page() -> Iterator[str]:
    """Every kind of connection with its keys."""
    yield from ("# Connection kinds", "", _GENERATED, "")
    yield "A setting is given as `--setting name=value`; a secret stands in the JSON object of `--secrets-file`."
    for kind in registry.kinds():
        manifest = registry.get(kind).manifest
        yield from (
            "",
            f"## {kind}",
            "",
            f"{manifest.title}; more in [docs/integrations/{kind}.md](../integrations/{kind}.md).",
        )
        if manifest.public_url_needed:
            yield "It must reach us from outside: set `LEADGATE_PUBLIC_URL`."
        if manifest.client_pulls:
            yield "Its clients fetch our messages themselves."
        rows = (
            (f"`{f.name}`", "secret" if f.secret else "setting", _presence(f), f.help_en or f.label_en)
            for f in manifest.fields
        )
        yield from ("", *_table(("key", "what", "given", "meaning"), rows))


def errors_page() -> Iterator[str]:
    """Every error code."""
    yield from ("# Error codes", "", _GENERATED, "")
    yield "A code is stable; texts may change."
    yield "Codes stand in answers (`code` of `application/problem+json`), in log lines (`error_code`),"
    yield "in attempts of a delivery and in the findings of `leadgate connections check`."
    yield "A vendor may send codes that are not here; they stand under the vendor's name and are treated by their HTTP status."
    codes = find_codes(PACKAGE)
    for area in sorted({code.code.partition(".")[0] for code in codes}):
        title = f"{area} ({VENDORS[area]})" if VENDORS.get(area) else area
        rows = ((f"`{c.code}`", c.meaning, c.hint) for c in codes if c.code.partition(".")[0] == area)
        yield from ("", f"## {title}", "", *_table(("code", "meaning", "what to do"), rows))


def logs_page() -> Iterator[str]:
    """Every field and every event of the log."""
    yield from ("# Log lines", "", _GENERATED, "")
    yield "One line for a unit of work: JSON in production, columns on a terminal."
    yield "Identifiers, counts, codes and times only; a field that is not on this list is dropped and its name is logged."
    yield "`error` means that a human must act, and has a page in the runbook."
    yield from (
        "",
        "## Fields",
        "",
        *_table(("field", "meaning"), ((f"`{f}`", _FIELD_TEXTS[f]) for f in sorted(FIELDS))),
    )
    events = sorted(set(find_log_events()))
    for level in ("error", "warning", "info"):
        names = [name for found, name in events if found == level]
        yield from ("", f"## Events of level {level}", "")
        if level == "error":
            yield from _table(("event", "runbook"), ((f"`{name}`", _runbook_of(name)) for name in names))
        else:
            yield from (f"- `{name}`" for name in names)


def metrics_page() -> Iterator[str]:
    """Every metric."""
    yield from ("# Metrics", "", _GENERATED, "")
    yield "`GET /metrics` answers in the text format of Prometheus: to this machine, and elsewhere to whoever has"
    yield "`LEADGATE_METRICS_TOKEN`."
    yield "Labels are kinds, codes and states; never an id of a person."
    collectors = set(metrics.registry._names_to_collectors.values())  # noqa: SLF001 - the library has no list of its own
    rows = [_metric_row(collector) for collector in collectors]
    yield from ("", *_table(("metric", "type", "labels", "meaning"), sorted(rows)))


def api_page() -> Iterator[str]:
    """Every address of the API."""
    yield from ("# Addresses of the API", "", _GENERATED, "")
    yield "All stand under `/api/v1`; what they take and answer stands in the OpenAPI document, `/api/openapi.json`."
    yield "How to use them: [docs/howto/api.md](../howto/api.md)."
    rows = (
        (
            f"`{one.method} {one.path}`",
            inspect.cleandoc(one.work.__doc__ or "").partition("\n")[0],
            "all" if one.act is None else ", ".join(role.value for role in Role if may(role, one.act)),
        )
        for one in find_endpoints()
    )
    yield from ("", *_table(("address", "what it does", "roles"), rows))


_PAGES: dict[str, Callable[[], Iterator[str]]] = {
    "../security/rights.md": rights_page,
    "api.md": api_page,
    "settings.md": settings_page,
    "cli.md": cli_page,
    "connections.md": connections_page,
    "errors.md": errors_page,
    "logs.md": logs_page,
    "metrics.md": metrics_page,
}


def find_log_events() -> Iterator[tuple[str, str]]:
    """Level and name of every event that the product can log."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "FrequentLine":
                yield "info", str(ast.literal_eval(node.args[0]))
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and _is_logger(node.func.value)
                and node.args
            ):
                level = {"exception": "error"}.get(node.func.attr, node.func.attr)
                if isinstance(node.args[0], ast.Constant) and level in {"error", "warning", "info"}:
                    yield level, str(node.args[0].value)


def _is_logger(node: ast.expr) -> bool:
    is_named = isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in ("_log", "self._log")
    return is_named or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "get_logger")


def _runbook_of(event: str) -> str:
    """Links to the pages of the runbook that name the event."""
    pages = [
        p
        for p in sorted(RUNBOOK.glob("*.md"))
        if p.name != "README.md" and f"`{event}`" in p.read_text(encoding="utf-8")
    ]
    return ", ".join(f"[{page.stem}](../runbook/{page.name})" for page in pages)


def _commands(app: App, path: str = "") -> Iterator[tuple[str, App]]:
    for name in app:
        if name.startswith("-"):
            continue
        command = app[name]
        inner = list(_commands(command, f"{path}{name} "))
        # A group may do something by itself.
        yield from [(f"{path}{name}", command)] if not inner or command.default_command is not None else []
        yield from inner


def _paragraphs(command: App) -> Iterator[str]:
    for number, paragraph in enumerate(inspect.cleandoc(command.help or "").split("\n\n")):
        if number:
            yield ""
        if paragraph.startswith("Example: "):
            yield from ("```console", paragraph.removeprefix("Example: "), "```")
        else:
            yield " ".join(paragraph.split())


def _options(command: App, is_wanted: Callable[[str], bool]) -> Iterator[str]:
    rows = []
    for argument in command.assemble_argument_collection(parse_docstring=True):
        name = argument.names[0] if argument.names else ""
        if name == "*" or not is_wanted(name):
            continue
        is_positional = argument.index is not None
        shown = name.lstrip("-").upper() if is_positional else " / ".join(argument.names)
        rows.append((f"`{shown}`", _default(argument), argument.parameter.help or ""))
    yield from _table(("option", "default", "meaning"), rows)


def _default(argument: Any) -> str:  # noqa: ANN401 - an argument of cyclopts, which exports no name for it
    if argument.required:
        return "required"
    default = argument.field_info.default
    if default is None or default is False or default is inspect.Parameter.empty:
        return ""
    return "yes" if default is True else f"`{default}`"


def _presence(field: Field) -> str:
    if field.make is not None:
        return "made when absent"
    if field.required:
        return "required"
    return f"default `{field.default}`" if field.default else "optional"


def _metric_row(metric: Any) -> tuple[str, str, str, str]:  # noqa: ANN401 - a collector of prometheus-client
    name = metric._name + ("_total" if metric._type == "counter" else "")  # noqa: SLF001 - as above
    labels = ", ".join(f"`{label}`" for label in metric._labelnames)  # noqa: SLF001 - as above
    return f"`{name}`", str(metric._type), labels, str(metric._documentation)  # noqa: SLF001 - as above


def _table(head: Sequence[str], rows: Iterator[Sequence[str]] | Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in row) + " |"


if __name__ == "__main__":
    sys.exit(main())
