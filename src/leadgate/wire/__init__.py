"""Calls to vendors over HTTP: what every messenger's adapter needs and none should write again.

Knows no vendor; `graph*` is Meta's platform, on which two of them stand.
"""
