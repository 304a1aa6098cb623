"""What `nlp.add_pipe("hmtl")` makes without a config. Defaults of functions are in factories.py."""

from typing import Any, Dict, Optional

HIERARCHY = ["ner", "mentions", "coref", "relations"]
DEFAULT_CONFIG: Dict[str, Any] = {
    "hierarchy": HIERARCHY,
    "embedding": {
        "@architectures": "hmtl_spacy.Embedding.v1",
        "parts": {
            "contextual": None,
            "characters": {"@architectures": "hmtl_spacy.Characters.v1"},
            "words": {"@architectures": "hmtl_spacy.Words.v1"},
            "case": {"@architectures": "hmtl_spacy.Case.v1"},
        },
    },
    "tasks": {
        "ner": {"@hmtl_tasks": "hmtl_spacy.NER.v1"},
        "mentions": {"@hmtl_tasks": "hmtl_spacy.Mentions.v1", "inputs": ["ner"]},
        "coref": {"@hmtl_tasks": "hmtl_spacy.Coref.v1", "inputs": ["mentions"]},
        "relations": {"@hmtl_tasks": "hmtl_spacy.SpanRelations.v1", "inputs": ["mentions"]},
    },
    "blank_line_ends_sentence": True,
    "threads": None,
    "thresholds": {"ner": 0.0, "mentions": 0.0, "coref": 0.0, "relations": 0.5},
    "spans": {"ner": "own", "mentions": "own", "coref": "own"},
    "agreement": {"types": "own", "entities": "own"},
    "scorer": {"@scorers": "hmtl_spacy.scorer.v1"},
}
SCORE_WEIGHTS: Dict[str, Optional[float]] = {
    "ents_f": 0.25,
    "ents_p": 0.0,
    "ents_r": 0.0,
    "spans_mentions_f": 0.25,
    "spans_mentions_p": 0.0,
    "spans_mentions_r": 0.0,
    "coref_f": 0.25,
    "coref_lea_f": 0.0,
    "rel_strict_f": 0.25,
    "rel_boundaries_f": 0.0,
    "rel_last_token_f": 0.0,
}
