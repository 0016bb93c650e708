"""The commands, one file each. Every one says what it did and what to do next."""

from leadgate.cli.main import main

__all__ = ["main"]
