"""Brings a database up to date when it is told to, so that two processes can do it at the same moment."""

import sys

import alembic.command

from leadgate.storage.engines import make_engine
from leadgate.storage.upgrade import upgrade

_ = alembic.command  # imported before the start, so that both begin at once
engine = make_engine(sys.argv[1])
print("ready", flush=True)  # noqa: T201 - the parent waits for it
sys.stdin.readline()
upgrade(engine)
engine.dispose()
