"""Entities, mentions, coreference and relations in one trainable spaCy component (HMTL)."""

__version__ = "0.1.0"
