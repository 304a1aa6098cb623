"""The paper's rows on its own corpora: `python -m hmtl_experiments.paper`, see docs/paper.md."""
