"""The options that readers of other tools' files share: which annotation becomes which layer."""

import functools
import inspect
from collections import Counter
from dataclasses import dataclass, field, fields
from typing import (
    Any,
    Callable,
    FrozenSet,
    Iterator,
    Literal,
    Optional,
    Sequence,
    Set,
    Tuple,
    Type,
    get_args,
    get_type_hints,
)

from spacy.tokens import Doc

from .character_spans import Misaligned, check_misaligned

COREF = ("coref", "coreference", "equiv")
SPAN_LAYERS = frozenset({"entities", "mentions"})
ALL_LAYERS = frozenset({"entities", "mentions", "clusters", "relations"})
Discontinuous = Literal["extent", "first", "drop"]


@dataclass(frozen=True)
class Rules:
    """What becomes of spans and relations, by their names.

    A span's names are its label and what the tool calls its control, layer or view.

    entities: names of the spans that are named entities, separated by commas; * for all of them.
    mentions: names of the spans that are mentions, likewise; by default all that aren't entities.
    coref_label: labels of relations that mean coreference, in capitals or not, separated by commas.
    """

    entities: Sequence[str] = ()
    mentions: Sequence[str] = ()
    coref_label: Sequence[str] = COREF
    _used: Set[str] = field(default_factory=set, init=False, repr=False, compare=False)

    def layers_of(self, names: Sequence[str], default: str = "mentions") -> Tuple[str, ...]:
        """The layers that a span belongs to.

        names: what it is called: its label, its control.
        default: its layer where neither `entities` nor `mentions` is given.
        RETURNS: "entities", "mentions", both or none.
        """
        if not self.entities and not self.mentions:
            return (default,)
        named = self._matches(self.entities, names) if self.entities else default == "entities"
        other = self._matches(self.mentions, names) if self.mentions else not named
        return ("entities",) * named + ("mentions",) * other

    def annotated(self, layers: FrozenSet[str]) -> FrozenSet[str]:
        """The layers that are annotated.

        layers: those that a file has where neither `entities` nor `mentions` is given.
        RETURNS: those that it has with these rules.
        """
        if not self.entities and not self.mentions:
            return layers
        named = {"entities"} if self.entities or "entities" in layers else set()
        others = {"mentions"} if self.mentions or "*" not in _split(self.entities) else set()
        return (layers - SPAN_LAYERS) | named | others

    def is_coref(self, label: str) -> bool:
        """Whether relations with a label are links of coreference."""
        names = {name.casefold() for name in _split(self.coref_label)}
        if label.casefold() in names:
            self._used.add(label.casefold())
        return label.casefold() in names

    @property
    def has_coref(self) -> bool:
        """Whether the options say that there is coreference."""
        return tuple(self.coref_label) != COREF

    def count_unused(self, dropped: "Counter[str]") -> None:
        """At the end, count the names of the options that nothing has: they may be misspelt."""
        for option in ("entities", "mentions"):
            for name in sorted(_split(getattr(self, option)) - self._used - {"*"}):
                if "," not in name:
                    dropped[f"names in --{option} that no span has: {name!r}"] += 1
        if self.has_coref:
            for name in sorted(_split(self.coref_label)):
                if name.casefold() not in self._used and "," not in name:
                    dropped[f"names in --coref-label that no relation has: {name!r}"] += 1

    def _matches(self, option: Sequence[str], names: Sequence[str]) -> bool:
        wanted = _split(option)
        self._used.update(wanted.intersection(names))
        return "*" in wanted or not wanted.isdisjoint(names)


@dataclass(frozen=True)
class TextRules(Rules):
    """The same for files of text with offsets.

    lang: language whose tokenizer is used.
    model: pipeline whose tokenizer is used instead.
    misaligned: what to do with spans that aren't whole tokens.
    discontinuous: what to keep of a span in several pieces: all from the first to the last, the first, or
        nothing.
    """

    lang: str = "en"
    model: Optional[str] = None
    misaligned: Misaligned = "expand"
    discontinuous: Discontinuous = "extent"

    def __post_init__(self) -> None:
        check_misaligned(self.misaligned)
        if self.discontinuous not in get_args(Discontinuous):
            expected = ", ".join(get_args(Discontinuous))
            raise ValueError(f"discontinuous is {self.discontinuous!r}, expected one of {expected}.")


def _split(option: Sequence[str]) -> Set[str]:
    """The names in an option, and what was given whole: a label may have a comma."""
    items = [option] if isinstance(option, str) else list(option)
    return {name.strip() for item in items for name in (item, *item.split(",")) if name.strip()}


def takes(rules: Type[Rules]) -> Callable[[Callable[..., Iterator[Doc]]], Callable[..., Iterator[Doc]]]:
    """A decorator for readers: the fields of the rules become their options.

    rules: `Rules` or `TextRules`. The reader gets one of it as `rules`, new for each run, and a Counter as
        `dropped`; its caller gives the fields.
    """
    options = {row.name: row.default for row in fields(rules) if row.init}

    def decorate(read: Callable[..., Iterator[Doc]]) -> Callable[..., Iterator[Doc]]:
        @functools.wraps(read)
        def run(*args: Any, dropped: Optional[Counter[str]] = None, **given: Any) -> Iterator[Doc]:
            dropped = Counter() if dropped is None else dropped
            of_run = rules(**{name: given.pop(name) for name in options if name in given})
            yield from read(*args, dropped=dropped, rules=of_run, **given)
            of_run.count_unused(dropped)

        kind = inspect.Parameter.KEYWORD_ONLY
        own = [value for name, value in inspect.signature(read).parameters.items() if name != "rules"]
        added = [inspect.Parameter(name, kind, default=default) for name, default in options.items()]
        run.__signature__ = inspect.Signature([*own, *added])  # type: ignore[attr-defined]  # as options.py reads it
        run.__annotations__ = {**get_type_hints(read), **get_type_hints(rules)}
        classes = [cls for cls in reversed(rules.__mro__) if issubclass(cls, Rules)]
        meanings = [(inspect.getdoc(cls) or "").rpartition("\n\n")[2] for cls in classes]
        run.__doc__ = "\n".join([inspect.getdoc(read) or "", *meanings])
        return run

    return decorate
