"""Doubles of the outside world that can be run and talked to: the Bitrix24 sandbox.

Nothing in production imports this room; the demo and tests start it.
"""
