"""Every function that an entry point names.

spaCy imports all entry points of a registry together, so this module must import fast and never
fail: torch and transformers are imported inside the functions, when one is called.
"""

from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Literal, Optional, Sequence, Union

from spacy.language import Language
from thinc.api import Model

from . import registry  # noqa: F401
from .defaults import DEFAULT_CONFIG, SCORE_WEIGHTS


@Language.factory(
    "hmtl",
    assigns=[
        "doc.ents",
        "token.ent_iob",
        "token.ent_type",
        "doc.spans",
        "doc._.coref_clusters",
        "doc._.relations",
    ],
    default_config=DEFAULT_CONFIG,
    default_score_weights=SCORE_WEIGHTS,
)
def make_hmtl(
    nlp: Language,
    name: str,
    hierarchy: List[str],
    embedding: Model,
    tasks: Dict[str, Any],
    thresholds: Dict[str, float],
    spans: Dict[str, str],
    agreement: Dict[str, str],
    scorer: Optional[Callable],
    blank_line_ends_sentence: bool,
    threads: Optional[int],
) -> Any:
    """The component.

    hierarchy: the tasks that are learned and annotated, lowest first.
    embedding: docs to token vectors.
    tasks: settings of each task; those outside the hierarchy are left alone.
    spans: per level whose spans it works on in use: "own", "given" (those of the documents) or "both".
    agreement: whether types follow clusters ("own" or "cluster"), and whether entities and mentions that
        contradict each other are settled ("own" or "settled").
    blank_line_ends_sentence: for the levels, in training and use; `doc.sents` stays as it is.
    threads: how many batches are predicted at a time, each on one core; null for all that torch uses.
    """
    from .agreement import check_agreement
    from .component import HMTL
    from .data.long_texts import allow_long_texts
    from .hierarchy import check_groups, check_spans, check_threads, check_thresholds, ordered_tasks
    from .model import HMTLModel
    from .requirements import require_extras

    require_extras(nlp, embedding)
    levels = ordered_tasks(name, hierarchy, tasks)
    check_groups(name, levels)
    check_thresholds(name, thresholds, tasks)
    check_spans(name, spans, tasks)
    check_threads(name, threads)
    check_agreement(name, agreement)
    allow_long_texts(nlp)
    return HMTL(
        nlp.vocab,
        HMTLModel(embedding, levels, blank_line_ends_sentence),
        name,
        tasks=levels,
        thresholds=thresholds,
        spans=spans,
        agreement=agreement,
        scorer=scorer,
        blank_line_ends_sentence=blank_line_ends_sentence,
        threads=threads,
    )


def make_embedding(parts: Dict[str, Any]) -> Model:
    from .embedding.concatenation import Embedding

    return Embedding(parts)


def make_transformer(
    name: str,
    trainable: bool = False,
    window: int = 254,
    batch_pieces: Optional[int] = None,
    cache_mb: int = 4096,
    learn_rate_scale: float = 0.02,
    precision: str = "float32",
    frozen_layers: int = 0,
    layer_decay: float = 1.0,
    warmup_steps: int = 0,
    mix_learn_rate_scale: float = 1.0,
    dropout: Optional[float] = None,
    decay_all: bool = True,
    kept_pieces: Optional[int] = None,
) -> Model:
    settings = dict(locals())  # before the import adds a name
    try:
        from .embedding.transformer import Transformer
    except ModuleNotFoundError as err:
        raise ImportError(
            f"The pipeline's embedding has a transformer ('{name}'), which needs the package {err.name}, "
            f'which isn\'t installed. Install the extra: pip install "hmtl-spacy[hf]"'
        ) from err
    return Transformer(**settings)


def make_characters(width: int = 16, filters: int = 64, dropout: float = 0.1) -> Model:
    from .embedding.characters import Characters

    return Characters(width=width, filters=filters, dropout=dropout)


def make_words(width: int = 100, dropout: float = 0.2, word_dropout: float = 0.05) -> Model:
    from .embedding.words import Words

    return Words(width=width, dropout=dropout, word_dropout=word_dropout)


def make_case(width: int = 8) -> Model:
    from .embedding.case import Case

    return Case(width=width)


def make_ner(
    inputs: Sequence[str] = (),
    hidden: int = 64,
    depth: int = 2,
    dropout: float = 0.2,
    label_embedding_width: int = 0,
    overwrite: bool = True,
    scores_key: Optional[str] = "ents",
) -> Any:
    settings = dict(locals())
    from .tasks.ner import NER

    return NER(**settings)


def make_mentions(
    inputs: Sequence[str] = (),
    hidden: int = 64,
    depth: int = 2,
    dropout: float = 0.2,
    label_embedding_width: int = 0,
    nested: bool = False,
    max_width: int = 20,
    scorer_hidden: int = 64,
    product_width: int = 64,
    mentions_key: str = "mentions",
    layer: str = "mentions",
) -> Any:
    settings = dict(locals())
    from .tasks.mentions import Mentions

    return Mentions(**settings)


def make_coref(
    inputs: Sequence[str] = (),
    hidden: int = 200,
    depth: int = 1,
    dropout: float = 0.5,
    label_embedding_width: int = 0,
    max_width: int = 10,
    spans_per_token: float = 0.3,
    max_antecedents: int = 70,
    coarse_window: int = 0,
    scorer_hidden: int = 150,
    scorer_dropout: float = 0.3,
    feature_width: int = 20,
    string_match: bool = True,
    speakers: bool = False,
    mention_weight: float = 1.0,
    linking: Literal["best", "total"] = "best",
    link_nested: bool = False,
    singletons: bool = False,
    clusters_key: str = "coref_clusters",
    numbered_groups: bool = True,
) -> Any:
    settings = dict(locals())
    from .tasks.coref import Coref

    return Coref(**settings)


def make_relations(
    inputs: Sequence[str] = (),
    hidden: int = 64,
    depth: int = 3,
    dropout: float = 0.2,
    label_embedding_width: int = 0,
    scorer_hidden: int = 64,
    positive_rate: float = 0.0025,
    unmatched: str = "token",
    symmetric: Sequence[str] = (),
    inverse: Sequence[Sequence[str]] = (),
    allowed: Union[str, List[List[str]], None] = None,
    mentions_key: str = "mentions",
    relations_key: str = "relations",
) -> Any:
    settings = dict(locals())
    from .tasks.relations import Relations

    return Relations(**settings)


def make_span_relations(
    inputs: Sequence[str] = (),
    hidden: int = 64,
    depth: int = 2,
    dropout: float = 0.2,
    label_embedding_width: int = 0,
    candidates_from: str = "mentions",
    scorer_hidden: int = 128,
    product_width: int = 64,
    context: bool = True,
    types: bool = True,
    distances: bool = True,
    feature_width: int = 20,
    positive_rate: float = 0.05,
    symmetric: Sequence[str] = (),
    inverse: Sequence[Sequence[str]] = (),
    allowed: Union[str, List[List[str]], None] = None,
    mentions_key: str = "mentions",
    relations_key: str = "relations",
) -> Any:
    settings = dict(locals())
    from .tasks.span_relations import SpanRelations

    return SpanRelations(**settings)


def make_scorer() -> Callable:
    from .component import score_tasks

    return score_tasks


def make_task_corpus(
    path: Optional[Path],
    tasks: Optional[List[str]] = None,
    batch_words: int = 0,
    gold_sentences: bool = True,
    limit: int = 0,
    labels: Optional[Dict[str, Any]] = None,
    unknown: Optional[Dict[str, Any]] = None,
    chains: Optional[Dict[str, Any]] = None,
    lift_relations: bool = False,
) -> Callable:
    from .data.corpus import read_task_corpus
    from .data.label_rules import make_rules

    rules = make_rules(labels, unknown, chains, source=f"The corpus '{path}'")
    return read_task_corpus(path, tasks, batch_words, gold_sentences, limit, rules, lift_relations)


def make_multi_corpus(corpora: Dict[str, Any]) -> Callable:
    from .data.corpus import read_corpora

    return read_corpora(corpora)


def make_batcher(
    sampling: str = "proportional",
    words: int = 1000,
    minimum_share: float = 0.0,
    with_replacement: bool = False,
) -> Callable:
    from .data.batching import batch_by_task

    return batch_by_task(sampling, words, minimum_share, with_replacement)


def make_halving(
    initial_rate: float,
    steps_per_epoch: int,
    epochs: int = 6,
    factor: float = 0.5,
    minimum_rate: float = 1e-7,
) -> Iterator[float]:
    from .schedules import halving

    return halving(initial_rate, steps_per_epoch, epochs, factor, minimum_rate)


def make_without_losses() -> Callable[[Language], Language]:
    from .meta import without_losses

    return without_losses


def make_task_logger(
    progress_bar: bool = True, output_file: Optional[Path] = None, tune_thresholds: bool = True
) -> Callable:
    from .logger import task_logger

    return task_logger(progress_bar, output_file, tune_thresholds)
