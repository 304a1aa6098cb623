"""Make the tables and plots of all stored results again: python -m hmtl_experiments.again"""

import argparse
import json
import sys
from pathlib import Path
from typing import List, Optional

RESULTS, METRICS = Path("results"), Path("metrics")


def main(argv: Optional[List[str]] = None) -> int:
    """Write a page for each file of results. RETURNS: the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m hmtl_experiments.again", description=(__doc__ or "").partition(":")[0]
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder of the stored results")
    parser.add_argument("--metrics", type=Path, default=METRICS, help="folder for tables and plots")
    options = parser.parse_args(argv)
    paths = sorted(options.results.glob("*.json"))
    if not paths:
        print(f"There are no results in '{options.results}': run an experiment first.", file=sys.stderr)
        return 1
    try:
        for path in paths:
            print(f"Wrote {write(path, options.metrics)}")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def write(path: Path, metrics: Path) -> Path:
    """Write the page of a file of results."""
    results = json.loads(path.read_text(encoding="utf8"))
    if results["experiment"] in ("probing", "edge-probing"):
        from .probing.requirements import require_libraries

        require_libraries()
        from .probing.edges.report import write_report as write_edges
        from .probing.report import write_report as write_probing

        write_page = write_probing if results["experiment"] == "probing" else write_edges
        return write_page(results, metrics / f"{path.stem}.md")
    from .report import write_report

    return write_report(results, metrics)


if __name__ == "__main__":
    sys.exit(main())
