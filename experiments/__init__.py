"""The paper's experiments, run by hand or by the project: see docs/experiments.md."""
