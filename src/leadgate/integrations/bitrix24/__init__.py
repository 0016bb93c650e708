"""Bitrix24: leads (or deals), contacts and timeline entries over its REST interface."""
