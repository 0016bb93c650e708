"""The salon of the end-to-end tests: a real process, a sandbox portal on a real socket, a bot builder that signs."""

from tests.e2e.conftest import gateway, http, idle_salon, portal, prepared, salon

__all__ = ["gateway", "http", "idle_salon", "portal", "prepared", "salon"]
