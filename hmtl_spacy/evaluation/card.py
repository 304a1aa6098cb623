"""What a trained pipeline says of itself: author, licence, sources and test scores in its meta.json, of which
`spacy package` makes the package's README.
"""

from pathlib import Path
from typing import Any, Dict, Mapping

import srsly

# the scores of the table, by what they are called there
COLUMNS = {
    "ents_f": "entities",
    "spans_mentions_f": "mentions",
    "coref_f": "coreference",
    "rel_strict_f": "relations, strict",
}
# by field, the type that its value must have
FIELDS = {
    "name": str,
    "version": str,
    "description": str,
    "author": str,
    "email": str,
    "url": str,
    "license": str,
    "sources": list,
    "notes": str,
}


def describe_pipeline(folder: Path, about: Path, scores: Mapping[str, Path]) -> Dict[str, Any]:
    """Write a pipeline's description and its scores on test data into its meta.json.

    folder: the trained pipeline.
    about: a JSON object with fields of spaCy's meta.json: description, author, license, sources and so on.
    scores: by the name of the data, what `evaluate --json` wrote. A table of them follows the notes.
    RETURNS: the new meta.json. Raises ValueError for other fields, and for files without scores.
    """
    path = folder / "meta.json"
    if not path.is_file():
        raise ValueError(f"'{folder}' has no meta.json. Name the folder of a trained pipeline.")
    meta = srsly.read_json(path)
    meta.update({"notes": "", **_read_about(about)})
    test = {name: _read_scores(file) for name, file in scores.items()}
    if test:
        meta["performance"] = {**meta.get("performance", {}), "test": test}
        meta["notes"] = "\n\n".join(filter(None, [meta["notes"], scores_table(test)]))
    srsly.write_json(path, meta)
    return dict(meta)


def scores_table(test: Mapping[str, Mapping[str, float]]) -> str:
    """Scores in percent as a Markdown table, one line for each test corpus.

    test: by the name of the data, scores from 0 to 1 by their keys.
    """
    columns = [key for key in COLUMNS if any(key in scores for scores in test.values())]
    lines = [
        ["F1 on test data", *(COLUMNS[key] for key in columns)],
        ["---", *("---:" for _ in columns)],
        *(
            [name, *(f"{100 * scores[key]:.1f}" if key in scores else "" for key in columns)]
            for name, scores in test.items()
        ),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _read_about(path: Path) -> Dict[str, Any]:
    about = _read(path)
    if not isinstance(about, dict):
        raise ValueError(f"'{path}' has to be a JSON object with fields such as description and license.")
    if strange := [field for field in about if field not in FIELDS]:
        raise ValueError(f"'{path}' has the fields {strange}. Those of a description are {list(FIELDS)}.")
    for field, value in about.items():
        if not isinstance(value, FIELDS[field]):
            expected = "a list" if FIELDS[field] is list else "text"
            raise ValueError(f"'{path}': found {value!r} as {field}, expected {expected}.")
    return about


def _read_scores(path: Path) -> Dict[str, float]:
    found = _read(path)
    scores = found.get("scores") if isinstance(found, dict) else None
    if not isinstance(scores, dict) or not any(key in scores for key in COLUMNS):
        raise ValueError(
            f"'{path}' has none of the scores {list(COLUMNS)}. Name what `spacy hmtl evaluate --json` wrote."
        )
    return {key: scores[key] for key in COLUMNS if scores.get(key) is not None}


def _read(path: Path) -> Any:
    try:
        return srsly.read_json(path)
    except ValueError as err:
        raise ValueError(f"'{path}' isn't JSON: {err}") from err
