"""One audit in a process of its own: `python -m benchmarks.audit.run ADDRESS`. Prints one JSON object: the seconds of
the whole and of each state, the pages of each, and what was found."""

import asyncio
import json
import sys
import time
from pathlib import Path

from strictly_necessary import load
from strictly_necessary.audit import Plan, judge, observe
from strictly_necessary.audit.crawl import Progress

HERE = Path(__file__).parent


def main(address: str) -> None:
    declaration = load(HERE / "policy.toml")
    plan = Plan(address, script=HERE / "acts.toml")
    moments: dict[str, list[float]] = {}
    begun = time.monotonic()
    observation = asyncio.run(
        observe(plan, declaration, progress=lambda each: _note(moments, each, time.monotonic() - begun))
    )
    collected = time.monotonic() - begun
    judgement = judge(observation, declaration)
    states = {
        str(run.state): {
            "pages": len({visit.url for visit in run.visits}),
            "visits": len(run.visits),
            "acts": sum(len(visit.acts) for visit in run.visits),
            "seconds": round(max(moments.get(run.state, [0])) - min(moments.get(run.state, [0])), 1),
            "skipped": run.skipped,
        }
        for run in observation.runs
    }
    told = {
        "seconds": round(time.monotonic() - begun, 1),
        "judging": round(time.monotonic() - begun - collected, 2),
        "states": states,
        "findings": [f"{each.code} {each.subject}: {each.message}" for each in judgement.findings],
        "items": {proof.item: proof.holds for proof in judgement.items},
    }
    print(json.dumps(told))


def _note(moments: dict[str, list[float]], progress: Progress, second: float) -> None:
    moments.setdefault(progress.state, []).append(second)


if __name__ == "__main__":
    main(sys.argv[1])
