"""Runs a command that dies: `python killed_rotation.py POINT DEED PASSING WITNESS COMMAND…`; see `testing.fault_points`."""

from __future__ import annotations

import sys

from leadgate.cli import main
from leadgate.testing.fault_points import install

if __name__ == "__main__":
    point, deed, passing, witness, *command = sys.argv[1:]
    install(point=point, deed=deed, passing=int(passing), witness=witness)
    main(command)
