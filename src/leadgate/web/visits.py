"""What is known of a browser that signs in: its cookie, its machine where that can be known, and what it is, in two words."""

from __future__ import annotations

from urllib.parse import urlsplit

from leadgate.model.staff import Visit
from leadgate.staff.passkeys import Site
from leadgate.web.access import PageRequest, is_https
from leadgate.web.cookies import device_cookie_name
from leadgate.web.peers import Peers
from leadgate.web.sheet import house_of

BROWSERS = (
    *(("YaBrowser", "yandex"), ("Edg", "edge"), ("OPR", "opera"), ("Firefox", "firefox"), ("FxiOS", "firefox")),
    *(("Chrome", "chrome"), ("CriOS", "chrome"), ("Safari", "safari")),
)
SYSTEMS = (
    *(("Android", "android"), ("iPhone", "ios"), ("iPad", "ios"), ("Windows", "windows"), ("Mac OS", "macos")),
    ("Linux", "linux"),
)
"""Marks in what a browser calls itself, the more telling first: all call themselves Safari."""

OTHER = "other"
_LONGEST_TOKEN = 100


def visit_of(request: PageRequest) -> Visit:
    """The browser that asks."""
    device = request.cookies.get(device_cookie_name(is_https=is_https(request)))
    peer = request.client.host if request.client else None
    found = Peers(house_of(request).trusted_proxies).find_of(peer, request.headers.get("x-forwarded-for", ""))
    return Visit(
        device=device if device and len(device) <= _LONGEST_TOKEN else None,
        peer=found,
        agent=agent_of(request.headers.get("user-agent", "")),
    )


def agent_of(header: str) -> str:
    """`firefox/linux` of what a browser calls itself: words of closed lists, nothing of the header itself."""
    browser = next((word for mark, word in BROWSERS if mark in header), OTHER)
    system = next((word for mark, word in SYSTEMS if mark in header), OTHER)
    return f"{browser}/{system}"


def site_of(request: PageRequest) -> Site | None:
    """Which site passkeys belong to here: our public address, or `localhost`; None where browsers allow none.

    Browsers bind passkeys to a name, so an address of figures has none; and what a request claims as its host decides nothing.
    """
    public_url = house_of(request).public_url
    if public_url is not None:
        parts = urlsplit(public_url)
        host = parts.hostname or ""
        is_named = parts.scheme == "https" and not host.replace(".", "").isdigit() and ":" not in host
        return Site(host, f"{parts.scheme}://{parts.netloc}") if is_named or host == "localhost" else None
    asked = urlsplit(f"//{request.headers.get('host', '')}")
    return Site("localhost", f"http://{asked.netloc}") if asked.hostname == "localhost" else None
