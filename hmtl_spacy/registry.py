"""Our registries in spaCy's: `@hmtl_tasks`, `@hmtl_converters` and `@hmtl_writers`.

A package adds to one by an entry point in `spacy_hmtl_tasks`, `spacy_hmtl_converters` or
`spacy_hmtl_writers`. An entry point is loaded when it is asked for, and only that one.
"""

from typing import Any, Dict, List, Tuple, Type, TypeVar

import catalogue
from spacy.util import registry

Entry = TypeVar("Entry")


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


def get(within: catalogue.Registry, name: str, kind: Type[Entry], refusal: str) -> Entry:
    """What a registry has under a name; only its own module is imported.

    kind: what it must be.
    refusal: how the error begins where there is nothing of that name: "Can't write 'xml'".
    """
    names = registered(within)
    if name not in names:
        raise ValueError(f"{refusal}; the formats are {', '.join(names)}.")
    entry = within.get(name)
    if not isinstance(entry, kind):
        raise TypeError(
            f"The {kind.__name__.lower()} {name!r} is a {type(entry).__name__}, expected a "
            f"{kind.__module__}.{kind.__name__}."
        )
    return entry


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
