"""The paper's experiments, run by experiments/project.yml or by hand: see docs/experiments.md."""
