"""Our registries in spaCy's: `@hmtl_tasks`, `@hmtl_converters` and `@hmtl_writers`.

A package adds to one by an entry point in `spacy_hmtl_tasks`, `spacy_hmtl_converters` or
`spacy_hmtl_writers`. An entry point is loaded when it is asked for, and only that one.
"""

from typing import Any, Dict, List, Tuple

import catalogue
from spacy.util import registry


def _registry(name: str) -> catalogue.Registry:
    if not hasattr(registry, name):
        setattr(registry, name, catalogue.create("spacy", name, entry_points=True))
    created: catalogue.Registry = getattr(registry, name)
    return created


tasks = _registry("hmtl_tasks")
converters = _registry("hmtl_converters")
writers = _registry("hmtl_writers")


def registered(within: catalogue.Registry) -> List[str]:
    """The names that a registry has, sorted; nothing is loaded."""
    points = catalogue.AVAILABLE_ENTRY_POINTS.select(group=within.entry_point_namespace)
    namespace = tuple(within.namespace)
    names = {keys[-1] for keys in catalogue.REGISTRY if keys[:-1] == namespace}
    return sorted(names.union(point.name for point in points))


def load_all(within: catalogue.Registry) -> Tuple[Dict[str, Any], Dict[str, Exception]]:
    """Everything that a registry has, by name, and the errors of what can't be loaded."""
    loaded: Dict[str, Any] = {}
    errors: Dict[str, Exception] = {}
    for name in registered(within):
        try:
            loaded[name] = within.get(name)
        except Exception as err:  # of a package that isn't ours
            errors[name] = err
    return loaded, errors
