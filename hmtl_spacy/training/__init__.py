"""spaCy's training, of which an interrupted one goes on from its last evaluation with the same result."""
