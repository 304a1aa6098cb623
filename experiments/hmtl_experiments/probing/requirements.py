"""What probing needs beside the package."""

from importlib.util import find_spec

LIBRARIES = {"sklearn": "scikit-learn", "matplotlib": "matplotlib"}


def require_libraries() -> None:
    """Raise an error that says what to install, before anything has taken time."""
    if missing := [name for module, name in LIBRARIES.items() if find_spec(module) is None]:
        raise ValueError(
            f"Probing needs {' and '.join(missing)}. Install what is missing: "
            f'pip install "hmtl-spacy[experiments]".'
        )
