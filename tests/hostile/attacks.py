"""What attackers send. Each attack gives the statuses that it got; what they may be is decided in `campaign`."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import hashlib
import hmac
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import httpx

from tests.e2e.sender import lead
from tests.fuzz.mutations import ODD
from tests.hostile.salon import Salon
from tests.hostile.wire import fire
from tests.web.test_bounds import MALFORMED

REFUSED = frozenset({400, 401, 403, 404, 405, 408, 411, 413, 414, 415, 422, 429, 431})
"""What may be answered to a stranger."""

FORGED = frozenset({401})
HUNG_UP = 0
"""Stands for no answer: the connection made room for others."""

_TAKEN = 202


_CROWD = 3000
"""Connections at once: three times as many as the gateway holds."""

_METHODS = ("GET", "POST", "PUT", "DELETE", "TRACE", "OPTIONS", "PROPFIND")
_BOMB = gzip.compress(b"[" * 4_000_000)
_DEEP = b'{"channel":' + b"[" * 300_000 + b"]" * 300_000 + b"}"
_NONSENSE = (
    *(
        _DEEP,
        b"[" * 1_000_000,
        b'{"a":' * 150_000,
        b"1e999999",
        b"9" * 900_000,
        b"\xef\xbb\xbf{}",
        b'{"channel":"\\ud800"}',
    ),
    *(
        json.dumps(lead()).encode("utf-16"),
        b'{"contact":{"name":"\x00"}}',
        b'{"a":1,"a":2}',
        gzip.compress(b"0" * 8_000_000),
    ),
    b"{" + b",".join(b'"k%d":%d' % (n, n) for n in range(60_000)) + b"}",
    b'{"message":"' + b"\\u0000" * 150_000 + b'"}',
    b'{"channel":"telegram","contact":{"phone":"' + b"+7" * 400_000 + b'"}}',
)
"""Made once: what is measured is the gateway, and not how fast nonsense is made."""


@dataclass(frozen=True, slots=True)
class Attack:
    """One kind of attack.

    Attributes:
        run: does it so many times; yields each status that was answered.
        may: statuses that are right.
        share: of the campaign's count; costly ones are done more seldom.
    """

    name: str
    run: Callable[[Salon, Random, int], AsyncIterator[int]]
    may: frozenset[int]
    share: float = 1.0


async def malformed(salon: Salon, random: Random, count: int) -> AsyncIterator[int]:
    """Smuggling: lengths, codings, folds, chunks; behind each a request that must not be heard as somebody's."""
    smuggled = b"POST %s HTTP/1.1\r\nHost: s\r\nContent-Length: 2\r\n\r\n{}" % salon.paths["bot"].encode()
    for _ in range(count):
        data = random.choice(tuple(MALFORMED.values()))
        for status in await fire(salon.address, data + smuggled):
            yield status


async def oversized(salon: Salon, random: Random, count: int) -> AsyncIterator[int]:
    """Heads, addresses and bodies without end, to pages, API and door."""
    paths = [*salon.paths.values(), "/login", "/api/v1/events", "/static/app.css", "/setup/" + "a" * 43]
    for _ in range(count):
        path = random.choice(paths).encode()
        size = random.choice((40_000, 1_100_000, 6_000_000))
        head = b"POST %s HTTP/1.1\r\nHost: s\r\n" % path
        shapes = (
            b"GET /%s HTTP/1.1\r\nHost: s\r\n\r\n" % (b"a" * size),
            b"GET %s?%s HTTP/1.1\r\nHost: s\r\n\r\n" % (path, b"a=1&" * 2000),
            head + b"X: " + b"y" * size + b"\r\n\r\n",
            head + b"".join(b"X-%d: y\r\n" % number for number in range(size // 20)) + b"\r\n",
            head + b"Cookie: " + b"a=b; " * 6000 + b"\r\n\r\n",
            head + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (2**20 + 1) + b"[" * (2**20 + 1),
            head + b"Content-Length: %d\r\n\r\n" % 10**15,
            head + b"Transfer-Encoding: chunked\r\n\r\n" + (b"%x\r\n" % 2**20 + b"{" * 2**20 + b"\r\n") * 2,
            head + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 200_000,
            head + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"y" * size + b"\r\n\r\n",
        )
        for status in await fire(salon.address, random.choice(shapes)):
            yield status


async def encodings(salon: Salon, random: Random, count: int) -> AsyncIterator[int]:
    """Charsets, compressions, cookies and addresses that are none, to everything that reads them."""
    paths = (
        "/",
        "/login",
        "/login?next=%0d%0aSet-Cookie:a=b",
        "/%zz",
        "/events?cursor=%ff%fe",
        "/static/..%2f..%2fetc",
    )
    more = (
        "/api/v1/events?limit=%EF%BC%91",
        "/api/openapi.json",
        "/site/x/visits",
        "/metrics",
        "/health/ready",
        "//",
        "/%00",
    )
    kinds = (
        *(
            "application/json; charset=utf-7",
            "application/x-www-form-urlencoded; charset=nonsense",
            "multipart/form-data",
        ),
        *("multipart/form-data; boundary=" + "x" * 300, "application/json\x0b", "text/plain; charset=utf-16", ""),
    )
    for _ in range(count):
        body = random.choice(
            (
                b"\xff\xfe\x00",
                b"name=%ff%00&password=\xed\xa0\x80",
                _BOMB,
                b"--x\r\n\r\n",
                b"{" * 9000,
            )
        )
        lines = [
            " ".join((random.choice(_METHODS), random.choice((*paths, *more, *salon.paths.values())), "HTTP/1.1")),
            f"Host: {random.choice(('s', '[::1', 'a b', 'évil', '127.0.0.1:99999', ''))}",
            f"Content-Type: {random.choice(kinds)}",
            f"Content-Encoding: {random.choice(('gzip', 'br', 'identity, gzip', 'x'))}",
            f"Accept-Language: {random.choice(('ru;q=x,' * 300, 'é', '*', ';;;'))}",
            f"Cookie: {random.choice(('a', '=', 'leadgate_session=' + 'x' * 9000, 'é=ÿ', 'theme=%00; theme=dark'))}",
            f"Authorization: {random.choice(('Bearer', 'Bearer é', 'Basic AAAA', 'Bearer ' + 'x' * 9000))}",
            f"X-Forwarded-For: {random.choice(('127.0.0.1', '::1', 'x' * 5000, ',' * 5000, 'é'))}",
            f"Origin: {random.choice(('null', 'https://elsewhere.example', 'é', 'x y'))}",
            f"Range: {random.choice(('bytes=0-,' * 500, 'bytes=-1', 'x'))}",
            f"Content-Length: {len(body)}",
            "Connection: close",
        ]
        for status in await fire(salon.address, "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body):
            yield status


async def signed_nonsense(salon: Salon, random: Random, count: int) -> AsyncIterator[int]:
    """Bodies of a bot builder that was broken into: the proof is good, the rest is meant to hurt."""
    for _ in range(count):
        if random.random() < 0.5:
            content = random.choice(_NONSENSE)
        else:
            body = lead(random.randrange(90, 99))
            target = random.choice((body, body["contact"], body["utm"]))
            target[random.choice((*target, "more"))] = random.choice(ODD)
            content = json.dumps(body).encode("utf-8", "surrogatepass")
        headers = _signed(salon, content)
        status = await _status(salon.client.post(salon.bot.url, content=content, headers=headers))
        if status == _TAKEN:
            salon.took("bot")
        yield status


async def forged(salon: Salon, random: Random, count: int) -> AsyncIterator[int]:
    """True bodies of every kind whose proof is wrong in every way that we know."""
    for number in range(count):
        kind = random.choice(("bot", "bot", *salon.messengers))
        path = salon.gateway.url + salon.paths[kind]
        if kind == "bot":
            content, headers = _forged_lead(salon, random)
            yield await _status(salon.client.post(path, content=content, headers=headers))
            continue
        secret = random.choice(("", "x", salon.secrets["bot"], salon.secrets[kind][:-1], salon.secrets[kind] + "x"))
        content, headers, query = salon.messengers[kind].posted("Здравствуйте", 700_000 + number, secret or "none")
        signature = headers.get("X-Hub-Signature-256", "")
        if signature:  # signed by the app's secret, which the double knows: so the body or the signature is changed
            wrong = (
                signature[:-1] + "z",
                signature.upper(),
                signature[:20],
                "sha1=" + signature[7:],
                signature + ", " + signature,
            )
            headers = {"X-Hub-Signature-256": random.choice((*wrong, ""))}
        elif random.random() < 0.2:
            headers, query = {}, {}
            content = content.replace(secret.encode() or b"none", b"") if kind == "vk" else content
        yield await _status(salon.client.post(path, content=content, headers=headers, params=query))


async def replayed(salon: Salon, random: Random, count: int) -> AsyncIterator[int]:
    """One genuine lead, again and again and all at once: one effect."""
    number = random.randrange(9000, 9900)
    content = json.dumps(lead(number), ensure_ascii=False).encode()
    headers = _signed(salon, content)
    effects = 0

    async def once() -> tuple[int, str]:
        try:
            answer = await salon.client.post(salon.bot.url, content=content, headers=headers)
        except httpx.TransportError:
            return HUNG_UP, ""
        return answer.status_code, answer.json().get("status", "")

    for start in range(0, count, 20):
        size = min(20, count - start)
        for status, effect in await asyncio.gather(*(once() for _ in range(size))):
            if status == _TAKEN:
                salon.took("bot")
                effects += effect == "accepted"
            yield status
    if effects != 1:
        yield 599  # a rule of its own: seen as a status that nothing may have


async def guessing(salon: Salon, random: Random, count: int) -> AsyncIterator[int]:
    """Passwords, tokens and set-up addresses, many at once: each costs us more than it costs him."""
    url = salon.gateway.url

    async def one(number: int) -> int:
        match number % 3:
            case 0:
                form = {"name": random.choice(("owner", "Гузель", "x" * 5000)), "password": f"guess {number}"}
                return await _status(salon.client.post(f"{url}/login", data=form))
            case 1:
                headers = {"authorization": f"Bearer lg_{uuid.UUID(int=random.getrandbits(128)).hex}"}
                return await _status(salon.client.get(f"{url}/api/v1/events", headers=headers))
            case _:
                return await _status(salon.client.get(f"{url}/setup/{random.getrandbits(256):064x}"))

    for start in range(0, count, 12):
        for status in await asyncio.gather(*(one(number) for number in range(start, min(start + 12, count)))):
            yield status


async def slow_and_many(salon: Salon, random: Random, count: int) -> AsyncIterator[int]:
    """Slowloris, readers that never read, and more connections than we hold; all stay open until the others are through."""
    writers: list[asyncio.StreamWriter] = []
    half = b"POST %s HTTP/1.1\r\nHost: s\r\nContent-Length: 99\r\n" % salon.paths["bot"].encode()
    greedy = b"GET /static/app.css HTTP/1.1\r\nHost: s\r\n\r\n" * 40
    try:
        for number in range(min(count * 4, _CROWD)):
            with contextlib.suppress(ConnectionError, OSError):
                _, writer = await asyncio.open_connection(*salon.address, limit=1)
                writers.append(writer)
                writer.write((half[: random.randrange(len(half))], half + b"\r\n{", greedy, b"", b"\r\n")[number % 5])
        for _ in range(10):
            await asyncio.sleep(0.1)  # the pace of a slow sender is what is played here, not a wait for something
            for writer in random.sample(writers, min(50, len(writers))):
                if not writer.transport.is_closing():
                    writer.write(b"x")
        yield await _status(salon.client.get(f"{salon.gateway.url}/health/live"))
    finally:
        for writer in writers:
            writer.transport.abort()


async def _status(asking: Awaitable[httpx.Response]) -> int:
    try:
        return (await asking).status_code
    except httpx.TransportError:
        return HUNG_UP


def _forged_lead(salon: Salon, random: Random) -> tuple[bytes, dict[str, str]]:
    content = json.dumps(lead(1), ensure_ascii=False).encode()
    good = _signed(salon, content)
    signature, at = good["webhook-signature"], int(good["webhook-timestamp"])
    stamp = str(random.choice((at - 302, at + 302, 0, -1, 10**30, f"{at}.0", "", "1e9", "0x1")))
    missing = random.choice(tuple(good)[1:])
    wrong: Sequence[Callable[[], tuple[bytes, dict[str, str]]]] = (
        lambda: (content + b" ", good),
        lambda: (content, {**good, "webhook-signature": signature[:-4] + "AAA="}),
        lambda: (content, {**good, "webhook-signature": signature.replace("v1,", "v2,")}),
        lambda: (content, {**good, "webhook-signature": signature.replace("v1,", "v1a,")}),
        lambda: (content, {**good, "webhook-signature": " ".join(["v1,AAAA"] * 1000)}),
        lambda: (content, {**good, "webhook-signature": ""}),
        lambda: (content, {**good, "webhook-id": "msg_other"}),
        lambda: (content, {**good, "webhook-id": "x" * 5000}),
        lambda: (content, {**good, "webhook-timestamp": stamp}),
        lambda: (content, {name: value for name, value in good.items() if name != missing}),
        lambda: (
            content,
            _signed(salon, content, at=datetime.now(UTC) - timedelta(seconds=random.choice((302, -302, 9999)))),
        ),
    )
    body, headers = random.choice(wrong)()
    return body, headers


def _signed(salon: Salon, content: bytes, *, at: datetime | None = None) -> dict[str, str]:
    """As a bot builder signs bytes, whatever they are."""
    webhook_id, stamp = f"msg_{uuid.uuid4().hex}", int((at or datetime.now(UTC)).timestamp())
    key = base64.b64decode(salon.bot.secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{webhook_id}.{stamp}.".encode() + content, hashlib.sha256).digest()
    return {
        "content-type": "application/json",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(stamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


ATTACKS = (
    Attack("malformed", malformed, REFUSED),
    Attack("oversized", oversized, REFUSED | {200, 303}, share=0.3),
    Attack("encodings", encodings, REFUSED | {200, 204, 302, 303, 307, 308}),
    Attack("signed nonsense", signed_nonsense, frozenset({202, 400, 422, 413}), share=0.5),
    Attack("forged", forged, FORGED),
    Attack("replayed", replayed, frozenset({202})),
    Attack("guessing", guessing, frozenset({401, 403, 404, 410, 429}), share=0.3),
    Attack("slow and many", slow_and_many, frozenset({200})),
)
"""In the order of the report."""
