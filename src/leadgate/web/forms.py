"""Reads a posted form as plain text."""

from __future__ import annotations

from leadgate.web.access import PageRequest


async def read_form(request: PageRequest) -> dict[str, str]:
    """The text fields of the form; files and repeated names are left out but for the last."""
    form = await request.form()
    return {name: value for name, value in form.multi_items() if isinstance(value, str)}
