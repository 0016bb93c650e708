"""Answers of the site chat: files, JSON, refusals and the reply to a browser's preflight."""

from __future__ import annotations

import json
from collections.abc import Mapping

from litestar import MediaType, Response

from leadgate.errors import WebhookRejectedError
from leadgate.model.connections import OpenConnection
from leadgate.web.site_cors import cors_headers, preflight
from leadgate.web.site_widget import MAX_AGE_S, Asset

NO_SNIFFING = {"X-Content-Type-Options": "nosniff"}


def preflight_answer(origin: str | None, connection: OpenConnection | None) -> Response[bytes]:
    """The answer to OPTIONS of a page, also for the webhook route of kind `site`."""
    status, headers = preflight(origin, connection)
    return Response(b"", status_code=status, headers=headers, media_type=MediaType.TEXT)


def asset_answer(asset: Asset, request_headers: Mapping[str, str]) -> Response[bytes]:
    """The file, packed for who takes gzip; 304 without a body for who has it already."""
    packs = "gzip" in request_headers.get("accept-encoding", "")
    headers = {
        "ETag": asset.etag,
        "Cache-Control": f"public, max-age={MAX_AGE_S}",
        "Cross-Origin-Resource-Policy": "cross-origin",  # a page that isolates itself may still load it
        "Vary": "Accept-Encoding",
        **NO_SNIFFING,
    }
    if asset.etag in request_headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers, media_type=asset.media_type)
    if packs:
        headers["Content-Encoding"] = "gzip"
    return Response(asset.packed if packs else asset.body, headers=headers, media_type=asset.media_type)


def json_answer(document: Mapping[str, object], headers: Mapping[str, str]) -> Response[bytes]:
    """200 with a document that nobody keeps."""
    body = json.dumps(document, ensure_ascii=False).encode()
    return Response(body, headers=_unkept(headers), media_type="application/json", status_code=200)


def refusal(error: WebhookRejectedError, headers: Mapping[str, str]) -> Response[bytes]:
    """What was wrong with the request."""
    return problem(error.code, str(error), status=error.status, headers=headers)


def not_found() -> Response[bytes]:
    """404: no connection of a site has this id."""
    return problem("site.not_found", "There is no such chat.", status=404, headers=cors_headers(None, None))


def problem(code: str, title: str, *, status: int, headers: Mapping[str, str]) -> Response[bytes]:
    """A problem as RFC 9457 wants it, with our stable code."""
    body = json.dumps({"type": "about:blank", "title": title, "status": status, "code": code}).encode()
    return Response(body, status_code=status, headers=_unkept(headers), media_type="application/problem+json")


def _unkept(headers: Mapping[str, str]) -> dict[str, str]:
    return {**headers, "Cache-Control": "no-store", **NO_SNIFFING}
