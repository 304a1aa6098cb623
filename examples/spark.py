"""For pipelines of Spark: a function for `DataFrame.mapInPandas`. Not run on a cluster of Spark by our tests.

    from examples.spark import SCHEMA, annotate_with
    texts.mapInPandas(annotate_with("/shared/model-best"), SCHEMA).write.parquet("found")

Each executor needs hmtl_spacy and the pipeline. Spark keeps no order, and a document that ends its
process ends the job after `spark.task.maxFailures` tries: `spacy hmtl annotate --engine ray` skips it
and says which it was.
"""

from typing import Any, Callable, Dict, Iterable, Iterator

from examples.ray_data import AnnotateBatch

SCHEMA = "id string, json string, error string"
_loaded: Dict[str, AnnotateBatch] = {}  # Spark uses a process for many tasks


def annotate_with(model: str) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """A function from tables with `id` and `text` to tables with the columns of `SCHEMA`.

    model: the name or path of a pipeline, which every executor loads.
    """

    def annotate(tables: Iterable[Any]) -> Iterator[Any]:
        if model not in _loaded:
            _loaded[model] = AnnotateBatch(model)
        for table in tables:
            yield type(table)(_loaded[model]({"id": table["id"], "text": table["text"]}))

    return annotate
