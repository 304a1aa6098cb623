"""Makes the tables of results.md from results.json, and adds trainings: `python docs/results.py --help`.

An entry of results.json is the F1 of one layer of a workflow with one encoder, in percent: the mean (`f1`)
and that of each seed (`seeds`); the wall time of the slowest training in seconds, the highest peak of
resident memory in MB (10**6 bytes), and the command that makes it. null: not known. `target` and `range`
(of the seeds) may be left out.
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

import srsly

ROOT = Path(__file__).resolve().parents[1]
DATA, PAGE = (Path(__file__).with_suffix(suffix) for suffix in (".json", ".md"))
PROJECTS = {"relations-alone": "experiments"}  # of workflows that aren't in the main project
ENCODERS = {"static": "none", "minilm": "MiniLM", "base": "MPNet-base"}
SIZES = {"static": "sm", "minilm": "md", "base": "lg"}  # of the English pipeline, by its encoder
HEADER = (
    "workflow (`spacy project run ...`)",
    "encoder",
    "layer",
    "test F1",
    "target",
    "training: wall time, peak memory",
)
Entry = Dict[str, Any]


class Layer(NamedTuple):
    """What it is called in tables; in which of the workflow's metrics files its F1 is, under which key
    (or keys, with dots between them).
    """

    name: str
    file: str
    key: str


SCIERC, GUM = "SciERC coreference", "GUM coreference"
LAYERS = {
    "all": {
        "ner": Layer("named entities, 16 types", "test", "ents_f"),
        "mentions": Layer("mentions, typed heads", "test", "spans_mentions_f"),
        "coref": Layer("coreference, full extents, no singletons", "test", "coref_f"),
        "relations_strict": Layer("relations, strict", "test", "rel_strict_f"),
        "relations_last_token": Layer("relations, by last token", "test", "rel_last_token_f"),
        "web_ner": Layer("web texts: named entities", "web", "ents_f"),
        "web_mentions": Layer("web texts: mentions", "web", "spans_mentions_f"),
        "web_coref": Layer("web texts: coreference", "web", "coref_f"),
        "web_relations_strict": Layer("web texts: relations, strict", "web", "rel_strict_f"),
    },
    "open": {
        "ner": Layer("UNER-EWT named entities", "uner", "ents_f"),
        "mentions": Layer("GUM typed heads", "gum", "spans_mentions_f"),
        "coref": Layer(f"{GUM}, full extents, no singletons", "gum", "coref_f"),
        "coref_muc": Layer(f"{GUM}: MUC", "gum", "coref_muc_f"),
        "coref_b3": Layer(f"{GUM}: B³", "gum", "coref_b3_f"),
        "coref_ceafe": Layer(f"{GUM}: CEAF-e", "gum", "coref_ceafe_f"),
        "arguments": Layer("CoNLL04 arguments", "conll04", "spans_arguments_f"),
        "relations_strict": Layer("CoNLL04 relations, strict", "conll04", "rel_strict_f"),
        "relations_last_token": Layer("CoNLL04 relations, by last token", "conll04", "rel_last_token_f"),
        "relations_last_token_noleak": Layer(
            "the same without leaked sentences ¹", "conll04_noleak", "rel_last_token_f"
        ),
    },
    "science": {
        "mentions": Layer("SciERC mentions ²", "scierc", "spans_mentions_f"),
        "relations_boundaries": Layer("SciERC relations, boundaries ²", "scierc", "rel_boundaries_f"),
        "relations_strict": Layer("SciERC relations, strict", "scierc", "rel_strict_f"),
        "coref": Layer(f"{SCIERC} ²", "scierc", "coref_f"),
        "ner": Layer("UNER-EWT named entities", "uner", "ents_f"),
    },
    "conll04": {
        "mentions": Layer("mentions, strict", "test", "spans_mentions_f"),
        "relations_strict": Layer("relations, strict", "test", "rel_strict_f"),
        "relations_strict_noleak": Layer(
            "the same without leaked sentences ¹", "test_noleak", "rel_strict_f"
        ),
        "relations_last_token": Layer("relations, by last token", "test", "rel_last_token_f"),
    },
    "english": {
        "conll04_entities": Layer("CoNLL04 (never seen): people, places, organizations", "conll04", "ents_f"),
        "conll04_organizations": Layer(
            "CoNLL04 (never seen): organizations", "conll04", "ents_per_type.ORG.f"
        ),
        "uner_entities": Layer("UNER-EWT named entities", "uner", "ents_f"),
        "gum_mentions": Layer("GUM typed heads, free texts", "gum", "spans_mentions_f"),
        "gum_coref": Layer("GUM coreference, free texts", "gum", "coref_f"),
        "sample_entities": Layer("sample: named entities, 16 types", "sample", "ents_f"),
        "sample_mentions": Layer("sample: mentions, typed heads", "sample", "spans_mentions_f"),
        "sample_coref": Layer("sample: coreference", "sample", "coref_f"),
        "sample_relations_strict": Layer("sample: relations, strict", "sample", "rel_strict_f"),
        "web_entities": Layer("web texts: named entities", "web", "ents_f"),
        "web_mentions": Layer("web texts: mentions", "web", "spans_mentions_f"),
        "web_coref": Layer("web texts: coreference", "web", "coref_f"),
        "web_relations_strict": Layer("web texts: relations, strict", "web", "rel_strict_f"),
    },
    "elsewhere": {
        "conll04_entities": Layer("CoNLL04 (never seen): people, places, organizations", "conll04", "ents_f"),
        "conll04_organizations": Layer(
            "CoNLL04 (never seen): organizations", "conll04", "ents_per_type.ORG.f"
        ),
        "uner_entities": Layer("UNER-EWT named entities (never seen)", "uner", "ents_f"),
        "gum_mentions": Layer("GUM typed heads, free texts (never seen)", "gum", "spans_mentions_f"),
        "gum_coref": Layer("GUM coreference, free texts (never seen)", "gum", "coref_f"),
    },
    "conll04-token-pairs": {  # as the workflow was before relations were between spans
        "relations_last_token": Layer("relations, by last token", "test", "rel_last_token_f")
    },
    "relations-alone": {
        "relations_last_token": Layer("relations, by last token", "test", "rel_last_token_f")
    },
}
# Each table of results.md: which entries it has, in this order.
TABLES: Dict[str, List[Tuple[str, str]]] = {
    "workflows": [
        (workflow, layer) for workflow in ("all", "open", "science", "conll04") for layer in LAYERS[workflow]
    ],
    "english": [(name, layer) for name in ("english", "elsewhere") for layer in LAYERS[name]],
    "alone": [("conll04-token-pairs", "relations_last_token"), ("relations-alone", "relations_last_token")],
}


def filled(page: str, entries: Sequence[Entry]) -> str:
    """The page with the tables of these entries between its marks."""
    for name, wanted in TABLES.items():
        rows = "\n".join(table(entries, wanted))
        page, n = re.subn(
            rf"(<!-- {name}: [^\n]*-->\n).*?(?=\n<!-- end -->)",
            lambda mark, rows=rows: f"{mark[1]}\n{rows}\n",
            page,
            flags=re.DOTALL,
        )
        if n != 1:
            raise ValueError(f"results.md has {n} tables marked <!-- {name}: ... -->, expected one.")
    return page


def table(entries: Sequence[Entry], wanted: Iterable[Tuple[str, str]]) -> List[str]:
    """Markdown, a row per entry; workflow, encoder and training stand in their first row only."""
    wanted = list(wanted)
    lines = [_line(HEADER), "|---" * len(HEADER) + "|"]
    for workflow in dict.fromkeys(workflow for workflow, _ in wanted):
        for encoder in ENCODERS:
            layers = [layer for of_workflow, layer in wanted if of_workflow == workflow]
            rows = [e for layer in layers for e in entries if _key(e) == (workflow, encoder, layer)]
            for i, entry in enumerate(rows):
                first = (_workflow(rows), ENCODERS[encoder]) if i == 0 else ("", "")
                target = entry.get("target")
                lines.append(
                    _line(
                        (
                            *first,
                            LAYERS[workflow][entry["layer"]].name,
                            _f1(entry),
                            "" if target is None else f"{target:g}",
                            _training(rows) if i == 0 else "",
                        )
                    )
                )
    return lines


def merged(entries: Sequence[Entry], new: Iterable[Entry]) -> List[Entry]:
    """The entries with the seeds of new ones: these replace the same seeds, and join the others.

    Seeds belong together only if they come from one command; where the new one differs, the old entry goes.
    """
    result = {_key(entry): entry for entry in entries}
    for entry in new:
        old = result.get(_key(entry))
        if old and old["command"] == entry["command"]:
            seeds = dict(sorted({**old["seeds"], **entry["seeds"]}.items()))
            known = [value for value in seeds.values() if value is not None]
            result[_key(entry)] = {
                **{key: value for key, value in old.items() if key != "range"},
                "f1": round(sum(known) / len(known), 2),
                "seeds": seeds,
                "seconds": _largest(old["seconds"], entry["seconds"]),
                "peak_mb": _largest(old["peak_mb"], entry["peak_mb"]),
            }
        else:
            result[_key(entry)] = {**entry, **({"target": old["target"]} if old and "target" in old else {})}
    return list(result.values())


def read_entries(
    folder: Path, workflow: str, encoder: str, seed: int, command: str, seconds: Any, peak_mb: Any
) -> List[Entry]:
    """The entries of a training, from what `spacy hmtl evaluate --json` wrote for it."""
    name = {"english": f"english-{SIZES[encoder]}", "all": "sample"}.get(workflow, workflow)
    metrics = folder / "metrics" / name / f"seed-{seed}"
    entries = []
    for layer, (_, file, path) in LAYERS[workflow].items():
        score = json.loads((metrics / f"{file}.json").read_text("utf8"))["scores"]
        for key in path.split("."):
            score = score[key]
        f1 = round(100 * score, 2)
        entry = {"workflow": workflow, "encoder": encoder, "layer": layer, "f1": f1, "seeds": {str(seed): f1}}
        entries.append({**entry, "seconds": seconds, "peak_mb": peak_mb, "command": command})
    return entries


def train(folder: Path, workflow: str, seed: int, extra: Sequence[str]) -> Tuple[float, float]:
    """Run all steps of a workflow, the training even if nothing has changed.

    RETURNS: the wall time of the training steps in seconds, and their largest process's peak in MB.
    """
    import resource  # not on Windows

    project = srsly.read_yaml(folder / "project.yml")
    environment = {"OMP_NUM_THREADS": "1", **os.environ}  # times that other work on the machine changes less
    seconds = 0.0
    for step in project["workflows"][workflow]:
        training = step.startswith("train")
        start = perf_counter()
        command = [sys.executable, "-m", "spacy", "project", "run", step, str(folder), *extra]
        subprocess.run(
            [*command, "--vars.seed", str(seed), *(["--force"] if training else [])],
            check=True,
            env=environment,
        )
        if training:
            seconds += perf_counter() - start
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024  # bytes of what getrusage counts
    return round(seconds), round(peak * unit / 1e6)


def main(arguments: Optional[Sequence[str]] = None) -> None:
    parser = argparse.ArgumentParser(
        description="Tables of results.md, and the results that they are made of."
    )
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("tables", help="Make the tables of results.md from results.json")
    add = commands.add_parser(
        "add",
        help="Train a workflow with one seed, and add its test scores, time and memory",
        epilog="The project's variables are passed on: --vars.transformer FOLDER --vars.gpu_id 0",
    )
    add.add_argument("workflow", choices=[name for name in LAYERS if name != "conll04-token-pairs"])
    add.add_argument("--encoder", choices=ENCODERS, required=True)
    add.add_argument("--seed", type=int, default=0)
    add.add_argument("--done", action="store_true", help="It was trained and scored before: read its metrics")
    add.add_argument("--seconds", type=int, help="With --done: how long training took")
    add.add_argument("--peak-mb", type=int, help="With --done: its peak of resident memory, in MB")
    given, extra = parser.parse_known_args(arguments)
    if not all(option.startswith("--vars.") for option in extra[::2]):
        parser.error(f"can't pass on {extra}: expected --vars.NAME VALUE")
    entries = json.loads(DATA.read_text("utf8"))
    if given.what == "add":
        if given.workflow == "english":
            extra = ["--vars.size", SIZES[given.encoder], *extra]
        name = PROJECTS.get(given.workflow, ".")
        command = shlex.join(
            ["python", "-m", "spacy", "project", "run", given.workflow, *_folder(name, extra)]
        )
        seconds, peak_mb = given.seconds, given.peak_mb
        if not given.done:
            seconds, peak_mb = train(ROOT / name, given.workflow, given.seed, extra)
        new = read_entries(ROOT / name, given.workflow, given.encoder, given.seed, command, seconds, peak_mb)
        entries = merged(entries, new)
        DATA.write_text(dumped(entries), "utf8")
    PAGE.write_text(filled(PAGE.read_text("utf8"), entries), "utf8")


def dumped(entries: Sequence[Entry]) -> str:
    """JSON with an entry a line."""
    lines = (json.dumps(entry, ensure_ascii=False) for entry in entries)
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _folder(name: str, extra: Sequence[str]) -> List[str]:
    return [name, *extra] if extra or name != "." else []


def _key(entry: Entry) -> Tuple[str, str, str]:
    return entry["workflow"], entry["encoder"], entry["layer"]


def _largest(*values: Optional[float]) -> Optional[float]:
    return max((value for value in values if value is not None), default=None)


def _f1(entry: Entry) -> str:
    seeds = [value for value in entry["seeds"].values() if value is not None]
    if "range" in entry:
        return f"{entry['f1']:.1f} ({entry['range'][0]:.1f} to {entry['range'][1]:.1f})"
    several = f" ({', '.join(f'{value:.1f}' for value in seeds)})" if len(seeds) > 1 else ""
    return f"{entry['f1']:.1f}{several}"


def _workflow(rows: Sequence[Entry]) -> str:
    seeds = list(rows[0]["seeds"])
    return f"`{rows[0]['workflow']}`, {'seeds' if len(seeds) > 1 else 'seed'} {', '.join(seeds)}"


def _training(rows: Sequence[Entry]) -> str:
    seconds, peak = (_largest(*(row[key] for row in rows)) for key in ("seconds", "peak_mb"))
    return "not known" if seconds is None or peak is None else f"{seconds / 60:.0f} min, {peak / 1000:.1f} GB"


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main()
