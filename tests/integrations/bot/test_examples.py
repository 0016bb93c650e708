"""The examples of docs/integrations/bot.md, run as they stand there: the door must take what they send."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from leadgate.integrations.bot.verify import verify_lead
from leadgate.model.webhooks import RawWebhook
from leadgate.testing.connections import open_connection

PAGE = Path(__file__).parents[3] / "docs" / "integrations" / "bot.md"
SECRET = "whsec_bGltb24tZGVtby1zaWduaW5nLWtleS0wMDAwMDE="


def _example(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found.group(1)


def _assert_taken(headers: dict[str, str], body: bytes) -> None:
    request = RawWebhook("POST", {name.lower(): value for name, value in headers.items()}, body)
    connection = open_connection("bot", secrets={"signing_secret": SECRET})
    webhook = verify_lead(request, connection, now=datetime.now(UTC))
    assert webhook.conversation_key == "phone:+79000000101"


@pytest.fixture
def door() -> Iterator[tuple[str, list[tuple[dict[str, str], bytes]]]]:
    """A server that keeps what it was sent."""
    seen: list[tuple[dict[str, str], bytes]] = []

    class Keep(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append((dict(self.headers), self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(202)
            self.end_headers()
            self.wfile.write(b'{"event": "evt_1", "status": "accepted"}')

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Keep) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/webhooks/bot/conn_1", seen
        server.shutdown()
        thread.join()


def test_the_python_example_is_taken(door: tuple[str, list[tuple[dict[str, str], bytes]]]) -> None:
    """An integrator's first request must not fail because of our page."""
    address, seen = door
    answer = subprocess.run(
        [sys.executable, "-c", _example("python")],
        env={**os.environ, "LEADGATE_URL": address, "LEADGATE_SIGNING_SECRET": SECRET},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert "accepted" in answer.stdout
    _assert_taken(*seen[0])


def test_the_shell_example_is_taken(tmp_path: Path) -> None:
    """The same in a shell; curl itself is replaced by a script that writes down what it is told."""
    told = tmp_path / "told"
    curl = tmp_path / "curl"
    curl.write_text(f'#!/bin/sh\nfor word in "$@"; do printf "%s\\n" "$word"; done > {told}\n')
    curl.chmod(0o755)
    subprocess.run(
        ["sh", "-eu", "-c", _example("sh")],
        env={
            "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
            "LEADGATE_URL": "http://127.0.0.1/",
            "LEADGATE_SIGNING_SECRET": SECRET,
        },
        timeout=30,
        check=True,
    )
    words = told.read_text("utf-8").splitlines()
    lines = [words[at + 1] for at, word in enumerate(words) if word == "--header"]
    headers = {name: value for name, _, value in (line.partition(": ") for line in lines)}
    _assert_taken(headers, words[words.index("--data-binary") + 1].encode())
