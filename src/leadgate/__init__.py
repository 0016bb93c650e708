"""Leadgate: the self-hosted gateway between chat bots and the CRM."""

__version__ = "0.1.0"
