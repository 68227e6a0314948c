"""Run every benchmark and print its table: `make bench`, or `python -m benchmarks NAME...` with --json for machines."""

import argparse
import json
import platform as machine
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks import audit, guard, listing, transfer

BENCHMARKS = {
    "audit": audit.measure,
    "guard": guard.measure,
    "guard-attack": guard.measure_attack,
    "guard-browser": guard.measure_browser,
    "listing": listing.measure,
    "transfer": transfer.measure,
}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="which ones (all)")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of tables")
    options = parser.parse_args(arguments)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in options.names or BENCHMARKS:
            print(f"measuring {name}", file=sys.stderr, flush=True)
            results[name] = BENCHMARKS[name](Path(folder))
    if options.json:
        print(json.dumps(results, indent=2, ensure_ascii=False))
        return 0
    print(f"Python {machine.python_version()}, {machine.system()} {machine.machine()}")
    for name, rows in results.items():
        print(f"\n## {name}\n\n{_table(rows)}")
    return 0


def _table(rows: list[dict[str, object]]) -> str:
    columns = list(rows[0])
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(str(row.get(column, "")) for column in columns) + " |" for row in rows]
    return "\n".join(lines)


sys.exit(main(sys.argv[1:]))
