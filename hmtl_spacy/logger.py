"""A training log with a loss and a score for every task."""

import sys
from datetime import timedelta
from pathlib import Path
from typing import IO, Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Tuple

import srsly
import tqdm
from spacy.language import Language
from wasabi.printer import Printer

from .data.checks import check_training
from .data.coverage import coverage_table
from .data.relabelling import mapping_table
from .thresholds import choose_thresholds

Info = Dict[str, Any]
LogStep = Callable[[Optional[Info]], None]
Setup = Callable[..., Tuple[LogStep, Callable[[], None]]]
SPACING = 2


class Column(NamedTuple):
    """A column of the log.

    value: the text to show, from what the training loop reports.
    width: the least width; the heading's, if that is wider.
    """

    heading: str
    value: Callable[[Info], str]
    width: int = 0


def task_logger(progress_bar: bool, output_file: Optional[Path], tune_thresholds: bool) -> Setup:
    """Before training, how much of each corpus can be used. Then a line per evaluation: the losses
    of all tasks since the last one, summed, how many updates each task had, the scores that count.

    progress_bar: show the steps to the next evaluation; only in a terminal.
    output_file: JSON lines with all losses and scores; an older file is replaced.
    tune_thresholds: at each evaluation, set the thresholds that are best on the development documents.
    """

    def setup(
        nlp: Language, stdout: IO[str] = sys.stdout, stderr: IO[str] = sys.stderr
    ) -> Tuple[LogStep, Callable[[], None]]:
        check_training(nlp)
        choosing = start_choosing(nlp) if tune_thresholds else []
        msg = Printer(no_print=True)
        columns = make_columns(nlp)
        widths = [max(len(column.heading), column.width) for column in columns]
        stream = open_log(output_file)
        bar = None

        def write(cells: List[str]) -> None:
            row = msg.row(cells, widths=widths, aligns=["r"] * len(widths), spacing=SPACING)
            print(row.rstrip(), file=stdout, flush=True)

        def log_step(info: Optional[Info]) -> None:
            nonlocal bar
            if info is None:
                if bar is not None:
                    bar.update(1)
                return
            if bar is not None:
                bar.close()
            write([column.value(info) for column in columns])
            if stream is not None:
                stream.write(srsly.json_dumps(log_record(info)) + "\n")
                stream.flush()
            if progress_bar:
                total = nlp.config["training"]["eval_frequency"]
                # None: no bar unless it is a terminal
                bar = tqdm.tqdm(total=total, disable=None, leave=False, file=stderr)
                bar.set_description(f"Epoch {info['epoch'] + 1}")

        def finalize() -> None:
            if bar is not None:
                bar.close()
            if stream is not None:
                stream.close()
            for component in choosing:
                component.choice = None

        for line in coverage_report(nlp):
            print(line, file=stdout, flush=True)
        if stream is not None:
            print(msg.info(f"Saving all scores and losses to {output_file}"), file=stdout, flush=True)
        write([column.heading for column in columns])
        write(["-" * width for width in widths])
        return log_step, finalize

    return setup


def make_columns(nlp: Language) -> List[Column]:
    """The columns for a pipeline's tasks and the scores that count in its training."""
    names = [name for name, proc in nlp.pipeline if getattr(proc, "is_trainable", False)]
    tasks = {name: list(getattr(nlp.get_pipe(name), "tasks", None) or []) for name in names}
    several = sum(1 for of_pipe in tasks.values() if of_pipe) > 1
    losses, updates = [], []
    for name, of_pipe in tasks.items():
        for task in of_pipe:
            heading = f"{name} {task}" if several else task
            losses.append(Column(f"LOSS {heading.upper()}", _loss(f"{name}_{task}"), 8))
            updates.append(f"{name}_{task}_updates")
        if not of_pipe:
            losses.append(Column(f"LOSS {name.upper()}", _loss(name), 8))
    keys = score_keys(nlp)
    return [
        Column("E", lambda info: str(info["epoch"]), 3),
        Column("#", lambda info: str(info["step"]), 6),
        Column("TIME", lambda info: str(timedelta(seconds=info["seconds"])), 7),
        *losses,
        *([Column("UPDATES", _counts(updates), 4 * len(updates))] if updates else []),
        *(Column(short_heading(key), _score(key), 5) for key in keys),
        *([Column("THRESHOLD", _thresholds(chosen))] if (chosen := threshold_keys(nlp)) else []),
        Column("SCORE", _normed_score(nlp, keys)),
    ]


def start_choosing(nlp: Language) -> List[Any]:
    """Let each evaluation choose thresholds. RETURNS: the components that may."""
    choosing: List[Any] = [proc for _, proc in nlp.pipeline if hasattr(proc, "choice")]
    for component in choosing:
        settings = nlp.config["components"][component.name].setdefault("thresholds", {})
        choose_thresholds(component, nlp.config["training"]["score_weights"], settings)
    return choosing


def threshold_keys(nlp: Language) -> List[str]:
    """The chosen thresholds, as they are called among the scores."""
    choices = [(name, getattr(proc, "choice", None)) for name, proc in nlp.pipeline]
    return [f"{name}_{task}_threshold" for name, choice in choices if choice for task in choice.weights]


def score_keys(nlp: Language) -> List[str]:
    """The scores that count in training, without those of tasks that a component doesn't have."""
    weights = nlp.config["training"]["score_weights"]
    absent = set()
    for name, proc in nlp.pipeline:
        if tasks := getattr(proc, "tasks", None):
            absent |= set(nlp.get_pipe_meta(name).default_score_weights or ())
            absent -= {key for task in tasks.values() for key in task.score_weights()}
    return [key for key, weight in weights.items() if weight and key not in absent]


def coverage_report(nlp: Language) -> Iterator[str]:
    """What each component that has measured it can learn from, and as what, as tables."""
    for name, proc in nlp.pipeline:
        if coverage := getattr(proc, "coverage", None):
            yield f"What '{name}' can learn from:\n{coverage_table(coverage).rstrip()}\n"
        if mapped := getattr(proc, "mapped", None):
            yield f"What '{name}' learns labels as:\n{mapping_table(mapped).rstrip()}\n"


def short_heading(key: str) -> str:
    """ "spans_mentions_f" to "MENTIONS F": spaCy's prefix for span groups adds nothing."""
    return key.removeprefix("spans_").replace("_", " ").upper()


def log_record(info: Info) -> Dict[str, Any]:
    """What is written to the file: everything, scores from 0 to 1."""
    record = {key: info[key] for key in ("epoch", "step", "seconds", "words", "score")}
    return {**record, "losses": plain(info["losses"]), "scores": info["other_scores"]}


def plain(losses: Dict[str, Any]) -> Dict[str, Any]:
    """Python's numbers in place of numpy's, which JSON can't hold; spaCy's components have such losses."""
    return {name: loss.item() if hasattr(loss, "item") else loss for name, loss in losses.items()}


def open_log(path: Optional[Path]) -> Optional[IO[str]]:
    if path is None:
        return None
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("w", encoding="utf-8")


def _normed_score(nlp: Language, keys: List[str]) -> Callable[[Info], str]:
    """The score by which models are compared, as the mean of what there is: 1 if all of it is right."""
    weights = nlp.config["training"]["score_weights"]
    total = sum(weights[key] for key in keys) or 1.0
    return lambda info: f"{info['score'] / total:.3f}"


def _loss(key: str) -> Callable[[Info], str]:
    return lambda info: f"{info['losses'].get(key, 0.0):.2f}"


def _counts(keys: List[str]) -> Callable[[Info], str]:
    return lambda info: "/".join(f"{info['losses'].get(key, 0):.0f}" for key in keys)


def _thresholds(keys: List[str]) -> Callable[[Info], str]:
    return lambda info: "/".join(f"{info['other_scores'].get(key, 0.0):g}" for key in keys)


def _score(key: str) -> Callable[[Info], str]:
    def show(info: Info) -> str:
        score = info["other_scores"].get(key)
        return "-" if score is None else f"{100 * score:.2f}"

    return show
