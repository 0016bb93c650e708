"""Fakes, doubles of vendors and conformance suites for tests; production code never imports this room."""
