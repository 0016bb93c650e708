"""The key encryption key: which one wraps, when the next is due, and one button."""

from __future__ import annotations

from litestar import Response, get, post
from litestar.response import Redirect

from leadgate.errors import ConfigurationError, ConflictError, CustodianUnavailableError, JournalUnavailableError
from leadgate.web.access import Act, PageRequest, allowed, fresh
from leadgate.web.sheet import MenuEntry, WebPage, address, house_of, show


@get("/keys")
async def keys(request: PageRequest) -> Response[str]:
    """How it stands."""
    return show(request, "keys.html", status_of_keys=await house_of(request).keys.status())


@post("/keys/rotate", guards=[allowed(Act.KEYS), fresh], status_code=303)
async def rotate(request: PageRequest) -> Redirect:
    """Wrap with a new key from now on."""
    try:
        await house_of(request).keys.rotate(by=request.user.staff_id)
    except ConfigurationError:
        return Redirect(address("/keys", notice="key_by_command"), status_code=303)
    except ConflictError:
        return Redirect(address("/keys", notice="key_busy"), status_code=303)
    except CustodianUnavailableError:
        return Redirect(address("/keys", notice="key_custodian_away"), status_code=303)
    except JournalUnavailableError:
        return Redirect(address("/keys", notice="journal_unavailable"), status_code=303)
    return Redirect(address("/keys", notice="key_rotated"), status_code=303)


PAGE = WebPage(
    handlers=(keys, rotate),
    menu=MenuEntry(section="keys", href="/keys", icon="key", group="shield", order=18),
)
