"""What the guard costs per request, beside others that handle cookies, and what it costs under attack."""

from benchmarks.guard.attack import measure_attack
from benchmarks.guard.cost import measure

__all__ = ["measure", "measure_attack"]
