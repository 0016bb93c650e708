"""Builds the pages' application: the routes of `web/pages/`, static files, guards, headers and error pages.

No page is named here: every module of `web/pages/` offers a `PAGE`, and that is all it takes.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from pathlib import Path

from litestar import Litestar, Router
from litestar.datastructures import CacheControlHeader, State
from litestar.static_files import create_static_files_router
from litestar.types import ControllerRouterHandler

from leadgate.web import pages
from leadgate.web.access import honest_form, recognise, signed_in
from leadgate.web.house import House
from leadgate.web.problems import problem_handlers
from leadgate.web.security_headers import harden
from leadgate.web.sheet import FORM_LIMIT_BYTES, STATIC_PATH, Studio, WebPage
from leadgate.web.site_pace import VisitPace

_STATIC_FOLDER = Path(__file__).parent / "static"
_STATIC_AGE_S = 3600


def build_pages(house: House, *, extra_routes: Sequence[ControllerRouterHandler] = ()) -> Litestar:
    """The application of the pages of one house.

    Args:
        extra_routes: routers beside the pages (site chat, API, health). They get the headers unless they set their own, and the
            error answers, but none of the pages' guards.
    """
    found = find_pages()
    menu = sorted((page.menu for page in found if page.menu is not None), key=lambda entry: entry.order)
    return Litestar(
        route_handlers=[
            _router([page for page in found if page.is_open]),
            _router([page for page in found if not page.is_open], needs_session=True),
            _static_router(),
            *extra_routes,
        ],
        state=State({"house": house, "studio": Studio(tuple(menu)), "passkey_pace": VisitPace(burst=20, per_s=0.5)}),
        before_send=[harden(is_https=(house.public_url or "").startswith("https://"))],
        exception_handlers=problem_handlers(),
        openapi_config=None,
        logging_config=None,
    )


def find_pages() -> list[WebPage]:
    """Every page there is, by name of its module.

    Raises:
        TypeError: a module of `web/pages/` offers no `PAGE`.
    """
    found = []
    for module in pkgutil.iter_modules(pages.__path__):
        page = getattr(importlib.import_module(f"{pages.__name__}.{module.name}"), "PAGE", None)
        if not isinstance(page, WebPage):
            raise TypeError(f"web/pages/{module.name}.py offers no PAGE")
        found.append(page)
    return found


def _router(found: Sequence[WebPage], *, needs_session: bool = False) -> Router:
    guards = [recognise, signed_in, honest_form] if needs_session else [recognise, honest_form]
    handlers = [handler for page in found for handler in page.handlers]
    return Router(
        "/", route_handlers=handlers, guards=guards, request_max_body_size=FORM_LIMIT_BYTES, include_in_schema=False
    )


def _static_router() -> Router:
    # Short on purpose: our own pages name files with a mark of their content, a salon's page names them plainly.
    keep = CacheControlHeader(max_age=_STATIC_AGE_S, public=True)
    return create_static_files_router(
        path=STATIC_PATH, directories=[_STATIC_FOLDER], cache_control=keep, include_in_schema=False
    )
