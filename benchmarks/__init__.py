"""Measurements of the hot paths, each beside named peers in the same run. `make bench` runs them all."""
