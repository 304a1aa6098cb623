"""How fast the component is, and against what: `python benchmarks/run.py`."""
