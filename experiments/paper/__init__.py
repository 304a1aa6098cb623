"""The paper's rows on its own corpora: `python -m experiments.paper`, see docs/paper.md."""
