"""One call of one method: what a method is given and how methods are declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from leadgate.sandbox.bitrix24.arguments import Params
from leadgate.sandbox.bitrix24.envelope import Reply
from leadgate.sandbox.bitrix24.portal import Portal
from leadgate.sandbox.bitrix24.records import Context


@dataclass(frozen=True, slots=True)
class Call:
    """The parameters of a call and the context in which it runs."""

    context: Context
    params: Params

    @property
    def portal(self) -> Portal:
        """The portal that is asked."""
        return self.context.portal


Handler = Callable[[Call], Reply]
