"""What the guards cost: per request beside others that handle cookies, under attack, and in the browser."""

from benchmarks.guard.attack import measure_attack
from benchmarks.guard.browser import measure as measure_browser
from benchmarks.guard.cost import measure

__all__ = ["measure", "measure_attack", "measure_browser"]
