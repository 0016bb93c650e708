"""Benchmarks of the gateway, as ratios within one run: `make bench`, or `python -m bench --quick`. No part of the product."""
