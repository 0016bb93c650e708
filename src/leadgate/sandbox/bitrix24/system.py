"""Methods about the portal and the caller: time, scopes, profile, CRM mode, directories, what exists.

Sources: the pages `common/system/*`, `common/users/*`, `crm/status/*`, `crm/crm-settings-mode-get`.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from leadgate.sandbox.bitrix24 import directories
from leadgate.sandbox.bitrix24.arguments import entries, find, is_yes, mapping, text
from leadgate.sandbox.bitrix24.call import Call, Handler
from leadgate.sandbox.bitrix24.envelope import Reply, RestError, bad_argument, portal_time
from leadgate.sandbox.bitrix24.portal import User

ALL_SCOPES = (
    "booking",
    "calendar",
    "crm",
    "im",
    "imbot",
    "imconnector",
    "imopenlines",
    "user",
    "user_basic",
    "user_brief",
)
MAY_READ_USERS = frozenset({"user", "user_basic", "user_brief"})


def server_time(call: Call) -> Reply:
    """The portal's time with its own offset."""
    return Reply(portal_time(call.context.now, call.portal.zone))


def scope(call: Call) -> Reply:
    """The scopes of the caller, or with `full` those that the portal knows."""
    if is_yes(find(call.params, "full")):
        return Reply(list(ALL_SCOPES))
    return Reply(sorted(granted(call)))


def profile(call: Call) -> Reply:
    """Who calls, and whether he is an administrator. Needs no scope."""
    user = _user(call)
    offset = call.context.now.astimezone(call.portal.zone).utcoffset()
    return Reply(
        {
            "ID": str(call.context.caller.user_id),
            "ADMIN": user.is_admin,
            "NAME": user.name,
            "LAST_NAME": user.last_name,
            "PERSONAL_GENDER": "",
            "TIME_ZONE": call.portal.zone_name,
            "TIME_ZONE_OFFSET": int(offset.total_seconds()) if offset else 0,
        }
    )


def current_user(call: Call) -> Reply:
    """The caller as an employee; needs one of the scopes for users."""
    user = _user(call)
    row = {
        "ID": str(call.context.caller.user_id),
        "ACTIVE": True,
        "NAME": user.name,
        "LAST_NAME": user.last_name,
    }
    return Reply({**row, "TIME_ZONE": call.portal.zone_name, "UF_DEPARTMENT": [1]})


def app_info(call: Call) -> Reply:
    """Facts about the application; a webhook has none and is refused."""
    if not call.context.caller.is_app:
        raise bad_argument("ACCESS_DENIED", "Access denied! Application context required")
    return Reply(
        {
            "ID": 1,
            "CODE": "local.sandbox",
            "VERSION": 1,
            "STATUS": "L",
            "INSTALLED": True,
            "LICENSE": "ru_std",
        }
    )


def crm_mode(call: Call) -> Reply:
    """1 classic CRM, 2 simple CRM without leads."""
    return Reply(call.portal.mode)


def list_statuses(call: Call) -> Reply:
    """Rows of the directories, all in one answer; the filter compares ENTITY_ID and the like by equality."""
    wish = {key.lstrip("="): text(value) for key, value in entries(find(call.params, "filter"))}
    rows = [row for row in directories.rows(call.portal.statuses) if _fits(row, wish)]
    order = mapping(find(call.params, "order"))
    if text(find(order, "SORT")).upper() == "DESC":
        rows.reverse()
    return Reply(rows, total=len(rows))


def granted(call: Call) -> frozenset[str]:
    """The scopes that the caller has; one without its own list has the portal's."""
    own = call.context.caller.scopes
    return call.portal.scopes if own is None else own


def insufficient_scope() -> RestError:
    """The refusal for a method outside the caller's scopes."""
    words = "The request requires higher privileges than provided by the webhook token"
    return RestError(HTTPStatus.FORBIDDEN, "insufficient_scope", words)


METHODS: Mapping[str, Handler] = {
    "server.time": server_time,
    "scope": scope,
    "profile": profile,
    "user.current": current_user,
    "app.info": app_info,
    "crm.settings.mode.get": crm_mode,
    "crm.status.list": list_statuses,
}


def _user(call: Call) -> User:
    return call.portal.users.get(call.context.caller.user_id) or User()


def _fits(row: Mapping[str, object], wish: Mapping[str, str]) -> bool:
    return all(name not in row or text(row[name]) == value for name, value in wish.items())
