"""Connecting vendors: settings and secrets checked and kept, live checks, pause and removal."""
