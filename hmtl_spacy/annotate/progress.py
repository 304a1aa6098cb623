"""How far a run has come, kept in a small file beside its output until it is done."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from .outputs import write_whole
from .places import beside, readable

VERSION = 1


class Progress:
    """What is confirmed: batches, the bytes or files they made, and what was counted in them.

    path: OUT.progress; None of a stream, of which nothing can be resumed.
    job: what the output depends on: model, input, options.
    """

    def __init__(self, path: Optional[Path], job: Dict[str, Dict[str, Any]]):
        self.path = path
        self.job = job
        self.batches = 0
        self.digest = ""  # of the input so far
        self.output: Any = 0
        self.errors = 0  # bytes of the file of errors
        self.failed = 0
        self.counts: Counter = Counter()
        self.lost: Counter = Counter()

    def save(self) -> None:
        if self.path is None:
            return
        state = {key: value for key, value in vars(self).items() if key != "path"}
        write_whole(self.path, json.dumps({"version": VERSION, **state}, indent=1).encode("utf-8"))

    def load(self) -> None:
        """Resume from the file; it must be of the same job."""
        assert self.path is not None, "there is nothing to resume of a stream"
        name = readable(self.path)
        try:
            state = json.loads(self.path.read_bytes())
            job, version = state.pop("job"), state.pop("version")
        except (ValueError, KeyError, AttributeError, TypeError) as err:
            raise ValueError(f"Can't read {name} ({err}). Use --overwrite to start again.") from None
        if version != VERSION or state.keys() != vars(self).keys() - {"path", "job"}:
            advice = "Use --overwrite to start again"
            raise ValueError(f"{name} is of another version of hmtl_spacy. {advice}.")
        if changed := differences(job, self.job):
            found = "; ".join(changed)
            advice = "Run it as before to resume, or use --overwrite to start again"
            raise ValueError(f"{name} is of an interrupted run that was different: {found}. {advice}.")
        vars(self).update(state, counts=Counter(state["counts"]), lost=Counter(state["lost"]))


def begin(
    out_path: Path, job: Dict[str, Dict[str, Any]], overwrite: bool, again: bool = True
) -> Tuple[Progress, bool]:
    """Resume the run that was interrupted at an output, if there was one, else start a new one.

    again: whether the input can be read again.
    RETURNS: How far it is, and whether it was interrupted.
    """
    path, name = beside(out_path, ".progress"), readable(out_path)
    state = Progress(path, job)
    if path.exists() and not overwrite:
        if not again:
            found = f"{name} is of an interrupted run, and standard input can't be read again"
            raise ValueError(f"{found}. Use --overwrite to start again.")
        state.load()
        return state, True
    there = any(out_path.iterdir()) if out_path.is_dir() else out_path.exists()
    if there and not overwrite:
        raise ValueError(f"There is something at {name} already. Use --overwrite to replace it.")
    state.save()
    return state, False


def differences(
    before: Dict[str, Dict[str, Any]], now: Dict[str, Dict[str, Any]], then: str = "then", today: str = "now"
) -> List[str]:
    """What of a job isn't as it was.

    then, today: what the two are called.
    """
    return [
        f"{part} ({name}): {before.get(part, {}).get(name)} {then}, {value} {today}"
        for part, values in now.items()
        for name, value in values.items()
        if before.get(part, {}).get(name) != value
    ]
