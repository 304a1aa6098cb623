"""What a trained pipeline does on annotated documents: scores, thresholds, and what it gets wrong."""
