"""Hierarchical multi-task learning for spaCy: entities, mentions, coreference and relations in one component."""

__version__ = "0.1.0"
