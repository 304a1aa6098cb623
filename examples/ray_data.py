"""For pipelines of Ray Data: a class for `Dataset.map_batches`. `pip install "hmtl-spacy[ray]" "ray[data]"`

    python examples/ray_data.py training/model-best texts.parquet found

Ray Data has limits that `spacy hmtl annotate --engine ray` hasn't (docs/scale.md): it names its output
files by chance, so that a second run into the same folder doubles all documents; it keeps no order; and
it tries a batch that ends its worker again, for ever.
"""

import json
import sys
from typing import Any, Dict, List

import spacy

from hmtl_spacy.data.layers import keys_of, read_layers, tasks_of
from hmtl_spacy.data.writers.jsonl import to_jsonl


class AnnotateBatch:
    """Rows with `id` and `text` to rows with `id`, `json` and `error`: one for each, in their order.

    json: as in the lines that `annotate` writes, "" where the document failed. error: why, else "".

    model: the name or path of a pipeline, which every worker loads.
    """

    def __init__(self, model: str):
        self.nlp = spacy.load(model)
        self.tasks = tasks_of(self.nlp)
        self.keys = keys_of(self.tasks)

    def __call__(self, batch: Dict[str, Any]) -> Dict[str, List[str]]:
        ids = [str(id) for id in batch["id"]]
        results = [self._annotate(id, str(text)) for id, text in zip(ids, batch["text"], strict=True)]
        return {"id": ids, "json": [line for line, _ in results], "error": [error for _, error in results]}

    def _annotate(self, id: str, text: str) -> Any:
        try:
            with self.nlp.memory_zone():
                doc = self.nlp(text)
                doc.user_data["id"] = id
                return json.dumps(
                    to_jsonl(doc, read_layers(doc, self.keys, self.tasks)), ensure_ascii=False
                ), ""
        except Exception as err:
            return "", f"{type(err).__name__}: {err}"


def main(model: str, source: str, folder: str) -> None:
    import ray

    rows = ray.data.read_parquet(source)
    workers = max(
        1, int(ray.cluster_resources()["CPU"]) - 1
    )  # one is left to read and write, or nothing moves
    found = rows.map_batches(AnnotateBatch, fn_constructor_args=[model], batch_size=64, concurrency=workers)
    found.write_parquet(folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
