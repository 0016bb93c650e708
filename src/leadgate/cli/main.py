"""The list of commands, and one way to end: exit codes and one-sentence errors (contract, section 1).

Commands are imported when they are called, so that `leadgate --help` is quick.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from types import TracebackType

from cyclopts import App, CycloptsError
from rich.console import Console

from leadgate import __version__
from leadgate.errors import (
    ConfigurationError,
    CustodianUnavailableError,
    LeadgateError,
    ServiceUnavailableError,
    StorageUnavailableError,
    VaultError,
)

DONE, FAILED, WRONG_USE, UNREACHABLE = 0, 1, 2, 3
INTERRUPTED = 130

_COMMANDS = {
    "init": "leadgate.cli.init:init",
    "run": "leadgate.cli.run:run",
    "demo": "leadgate.cli.demo:demo",
    "connect": "leadgate.cli.connect:connect",
    "parse": "leadgate.cli.parse:parse",
    "reconcile": "leadgate.cli.reconcile:reconcile",
    "sign": "leadgate.cli.sign:sign",
}
_GROUPS = {
    "sandbox": ("Doubles of vendors, for integrators and tests.", {"bitrix24": "leadgate.cli.sandbox:bitrix24"}),
    "connections": (
        "What is connected.",
        {name: f"leadgate.cli.connections:{name}" for name in ("list", "show", "check", "pause", "resume", "remove")},
    ),
    "events": (
        "What knocked, and what became of it.",
        {name: f"leadgate.cli.events:{name}" for name in ("list", "show", "replay")},
    ),
    "deliveries": (
        "What goes out, with every attempt.",
        {name: f"leadgate.cli.deliveries:{name}" for name in ("list", "show", "causes", "retry", "confirm", "discard")},
    ),
    "journal": (
        "The audit journal: who did what, and the proof that nobody changed it.",
        {name: f"leadgate.cli.journal:{name}" for name in ("verify", "tail", "head", "export", "proof")},
    ),
    "keys": (
        "The key encryption key: how it stands, its rotation, who keeps it.",
        {name: f"leadgate.cli.keys:{name}" for name in ("status", "rotate", "move", "protect")},
    ),
    "pii": (
        "Personal data in chat text: find it, mask it.",
        {name: f"leadgate.cli.pii:{name}" for name in ("spans", "mask")},
    ),
    "secrets": (
        "Tokens and webhook secrets: how old they are, when they are due, and how they are replaced.",
        {name: f"leadgate.cli.secrets:{name}" for name in ("list", "set", "rotate", "undo", "confirm", "due")},
    ),
    "retention": (
        "How long which kind of data is kept.",
        {
            "show": "leadgate.cli.retention:show",
            "set": "leadgate.cli.retention:choose",
            "sweep": "leadgate.cli.retention:sweep",
        },
    ),
    "requests": (
        "What people ask about their own data, and until when they are answered.",
        {
            name: f"leadgate.cli.requests:{name}"
            for name in ("list", "show", "open", "assign", "extend", "close", "answer")
        },
    ),
    "subject": (
        "A person's rights: what is held of them; correcting, blocking and erasing it.",
        {
            **{name: f"leadgate.cli.subject:{name}" for name in ("find", "export", "correct", "block", "unblock")},
            **{name: f"leadgate.cli.subject_erase:{name}" for name in ("erase", "erasures", "act")},
        },
    ),
    "backup": (
        "One encrypted file with everything: made while the gateway works, proved, put back.",
        {name: f"leadgate.cli.backup:{name}" for name in ("create", "verify", "restore")},
    ),
    "staff": (
        "People who sign in: invite, roles, dismissal, and who looked at clients' data.",
        {
            "add": "leadgate.cli.staff:add",
            "list": "leadgate.cli.staff:list",
            "role": "leadgate.cli.staff:change_role",
            "disable": "leadgate.cli.staff:disable",
            "reset": "leadgate.cli.staff:reset",
            "sign-out": "leadgate.cli.staff:sign_out",
            "reveals": "leadgate.cli.staff:reveals",
        },
    ),
    "tokens": (
        "Programs that may use the API.",
        {name: f"leadgate.cli.tokens:{name}" for name in ("create", "list", "revoke")},
    ),
    "reach": (
        (
            "How many people can be written to and where; with --without, who would be lost.\n\n"
            "Example: leadgate reach --without whatsapp"
        ),
        {"link": "leadgate.cli.reach:link"},
    ),
    "policies": (
        "What goes to whom: kinds of personal data, and fields of the CRM.",
        {name: f"leadgate.cli.policies:{name}" for name in ("show", "set")},
    ),
    "health": (
        "How the house treats health: a salon that asks nothing, or a clinic.",
        {name: f"leadgate.cli.health:{name}" for name in ("show", "set")},
    ),
    "data-map": (
        (
            "Who receives personal data, in which country and why; decisions about recipients abroad.\n\n"
            "Example: leadgate data-map --out map.pdf"
        ),
        {"decide": "leadgate.cli.data_map:decide"},
    ),
    "own-network": (
        (
            "Hosts of the own network that Leadgate may call, for instance a Bitrix24 of your own; all others are refused.\n\n"
            "Example: leadgate own-network"
        ),
        {name: f"leadgate.cli.own_network:{name}" for name in ("allow", "forbid")},
    ),
    "incident": (
        "A leak or the suspicion of one: stop what goes out, count, tell Roskomnadzor in time.",
        {
            "open": "leadgate.cli.incident:open_one",
            **{
                name: f"leadgate.cli.incident:{name}"
                for name in ("show", "freeze", "unfreeze", "count", "note", "notice", "export", "close")
            },
        },
    ),
    "consents": (
        "What people agreed to, on which text, and the proof.",
        {
            **{name: f"leadgate.cli.consents:{name}" for name in ("list", "show", "verify", "rule")},
            "texts list": "leadgate.cli.consents:list_texts",
            "texts set": "leadgate.cli.consents:set_text",
        },
    ),
    "alerts": (
        "What is wrong now, and who is told.",
        {name: f"leadgate.cli.alerts:{name}" for name in ("list", "test", "add", "remove")},
    ),
}


def build(tokens: Sequence[str] | None = None) -> App:
    """The command line as an object, for `main` and for the generated reference.

    Args:
        tokens: what was asked for; what a group does by itself is imported only for those that are named. None: for all.
    """
    app = App(
        name="leadgate",
        help="The gateway between chat bots and the CRM: nothing lost, nothing doubled, nothing leaked.",
        version=__version__,
        help_format="plaintext",
        result_action="return_value",
    )
    for name, path in _COMMANDS.items():
        app.command(path, name=name)
    for name, (text, commands) in _GROUPS.items():
        group = App(name=name, help=text, help_format="plaintext", result_action="return_value")
        for command, path in commands.items():
            module, _, function = path.partition(":")
            inner, _, last = command.rpartition(" ")
            holder = _inner_group(group, inner) if inner else group
            holder.command(f"{module}:{_SAFE_NAMES.get(function, function)}", name=last)
        app.command(group)
        if name in _DEFAULTS and (tokens is None or name in tokens):
            module, _, function = _DEFAULTS[name].partition(":")
            group.default(getattr(import_module(module), function))
    return app


def _inner_group(group: App, name: str) -> App:
    """The group within a group, made when it is new."""
    if name not in group:
        group.command(App(name=name, help=_INNER[name], help_format="plaintext", result_action="return_value"))
    return group[name]


_INNER = {"texts": "The texts that people agree to, by version."}
"""What groups within groups are about."""

_DEFAULTS = {
    "reach": "leadgate.cli.reach:report",
    "data-map": "leadgate.cli.data_map:show",
    "own-network": "leadgate.cli.own_network:show",
}
"""What a group does without the name of a command."""

_SAFE_NAMES = {"list": "list_all", "open": "write_down", "set": "set_", "test": "send_trial"}
"""Words of Python and of its tests that a function of ours does not take."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code."""
    tokens = list(sys.argv[1:] if arguments is None else arguments)
    is_debugging = "--debug" in tokens
    if not is_debugging:
        sys.excepthook = _confess
    try:
        code = _run(tokens)
    except LeadgateError as error:
        if is_debugging:
            traceback.print_exc()
        sys.exit(_complain(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(code)


def _run(tokens: list[str]) -> int:
    console = Console(soft_wrap=True)
    try:
        result = build(tokens)(tokens, exit_on_error=False, print_error=False, console=console)
    except CycloptsError as error:
        return _explain(error)
    if inspect.iscoroutine(result):
        result = asyncio.run(result)
    return result if isinstance(result, int) else DONE


def _explain(error: CycloptsError) -> int:
    """Wrong use: one sentence and where to read on."""
    command = " ".join(("leadgate", *error.command_chain)) if error.command_chain else "leadgate"
    message = " ".join(str(error).split()).rstrip(".")
    print(f"{message}. See: {command} --help", file=sys.stderr)
    return WRONG_USE


def _confess(kind: type[BaseException], _error: BaseException, trace: TracebackType | None) -> None:
    """A mistake of ours: its kind and place without its text, which may quote what somebody wrote; Python exits with 1."""
    frames = traceback.extract_tb(trace)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    print(f"Leadgate made a mistake: {kind.__name__}{place}. Please report it; --debug shows more.", file=sys.stderr)


def _complain(error: LeadgateError) -> int:
    sentence = str(error).rstrip(".") + "."
    print(f"{sentence} {error.hint}".rstrip(), file=sys.stderr)
    if isinstance(error, ConfigurationError | VaultError):
        return WRONG_USE
    if isinstance(error, ServiceUnavailableError | StorageUnavailableError | CustodianUnavailableError):
        return UNREACHABLE
    return FAILED
