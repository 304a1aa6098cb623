"""The registry of tasks, `@hmtl_tasks`; a package adds one by an entry point in `spacy_hmtl_tasks`."""

import catalogue
from spacy.util import registry

if not hasattr(registry, "hmtl_tasks"):
    registry.hmtl_tasks = catalogue.create("spacy", "hmtl_tasks", entry_points=True)
