"""Structured logs and metrics: identifiers only, never a text, a name, a phone, a token or an address with a secret in it."""

from leadgate.observability.logs import configure_logs, get_logger, silence_logs

__all__ = ["configure_logs", "get_logger", "silence_logs"]
