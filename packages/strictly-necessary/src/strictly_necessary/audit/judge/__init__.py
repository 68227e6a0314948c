"""Judging what was seen: pure functions from an `Observation` and a `Declaration` to findings."""
