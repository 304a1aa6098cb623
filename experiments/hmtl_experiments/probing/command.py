"""What the commands of both probings share: options, errors, and where results go."""

import argparse
import sys
from pathlib import Path
from typing import Any, Callable, Dict

from ..again import METRICS, RESULTS, write
from ..training import write_json


def make_parser(module: str, description: str) -> argparse.ArgumentParser:
    """Make a parser of the options that both have. description: the docstring of the module."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description.splitlines()[0])
    parser.add_argument("pipeline", type=Path, help="folder of a trained pipeline")
    parser.add_argument("--name", required=True, help="of the results: a file's name without its ending")
    parser.add_argument("--results", type=Path, default=RESULTS, help="folder for scores as data")
    parser.add_argument("--metrics", type=Path, default=METRICS, help="folder for the table and the plot")
    return parser


def exit_status(run: Callable[[argparse.Namespace], None], options: argparse.Namespace) -> int:
    """Do it, and say what is wrong with what was asked. RETURNS: the exit status."""
    try:
        run(options)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def write_results(results: Dict[str, Any], options: argparse.Namespace, kind: str) -> None:
    """Write results as data, and their page."""
    path = options.results / f"{kind}-{options.name}.json"
    write_json(path, results, indent=None)
    page = write(path, options.metrics)
    print(f"Wrote {path}, {page} and {page.with_suffix('.svg')}")
