"""The package's templates, which escape everything that comes from texts."""

from functools import cache

from jinja2 import Environment, PackageLoader, Template


@cache
def template(name: str, package: str = "hmtl_spacy.visualize") -> Template:
    """A template beside a package's code."""
    loader = PackageLoader(package, "")
    environment = Environment(autoescape=True, loader=loader)
    return environment.get_template(name)
