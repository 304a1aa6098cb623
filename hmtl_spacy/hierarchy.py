"""The hierarchy as the config gives it, checked."""

from typing import Any, Dict, Iterable, List, Mapping, Optional

from .tasks.base import Task

# whose spans a level works on: its own, the document's, or its own beside the document's
SPANS = ("own", "given", "both")


def ordered_tasks(component: str, hierarchy: List[str], tasks: Dict[str, Any]) -> Dict[str, Task]:
    """The tasks of a hierarchy, lowest first; each is told its name, and the levels below it, which alone it
    may read.
    """
    if not hierarchy or len(set(hierarchy)) < len(hierarchy):
        raise ValueError(
            f"[components.{component}] hierarchy is {hierarchy}. List at least one task, each once."
        )
    for i, name in enumerate(hierarchy):
        if name not in tasks:
            raise ValueError(
                f"[components.{component}] hierarchy {hierarchy} names the task '{name}', but there are "
                f"settings only for {list(tasks)}. Add a section [components.{component}.tasks.{name}]."
            )
        if not isinstance(tasks[name], Task):
            raise ValueError(
                f"[components.{component}.tasks.{name}] is of type {type(tasks[name]).__name__}, not a task. "
                f"Give the section a function of the registry: @hmtl_tasks."
            )
        for below in tasks[name].inputs:
            if below not in hierarchy[:i]:
                raise ValueError(
                    f"The task '{name}' reads '{below}', which isn't below it in the hierarchy {hierarchy}. "
                    f"Put '{below}' before '{name}', or change [components.{component}.tasks.{name}] inputs."
                )
        tasks[name].name = name
        tasks[name].below = {below: tasks[below] for below in hierarchy[:i]}
    return {name: tasks[name] for name in hierarchy}


def check_groups(component: str, tasks: Mapping[str, Task]) -> None:
    """Raises if a level whose spans are a layer of its own would fill, and learn from, another's group."""
    filled: Dict[str, str] = {}
    for name, task in tasks.items():
        if (group := task.scored_group) is None:
            continue
        other = filled.setdefault(group, name)
        if other != name and not (task.keys and tasks[other].keys):
            raise ValueError(
                f"The tasks '{other}' and '{name}' fill different layers, '{tasks[other].layer}' and "
                f"'{task.layer}', but the same span group, '{group}'. Give each a group of its own, such as "
                f'[components.{component}.tasks.{name}] mentions_key = "{task.layer}".'
            )


def check_thresholds(component: str, thresholds: Mapping[str, float], tasks: Iterable[str]) -> None:
    """Raises if a threshold is for a task that there isn't, or isn't a probability."""
    check_threshold_names(component, thresholds, tasks)
    for name, value in thresholds.items():
        if not 0.0 <= value <= 1.0:
            raise ValueError(
                f"The threshold of '{name}' is {value}: give a probability from 0 to 1 "
                f"([components.{component}.thresholds])."
            )


def check_threshold_names(component: str, thresholds: Iterable[str], tasks: Iterable[str]) -> None:
    """Raises if a threshold is for a task that there isn't, so that it would have no effect."""
    known = list(tasks)
    if unknown := [name for name in thresholds if name not in known]:
        raise ValueError(
            f"The component '{component}' has thresholds for {unknown}, but its tasks are {known}. "
            f"Use one of these names."
        )


def check_threads(component: str, threads: Optional[int]) -> None:
    """Raises if the number of threads isn't one."""
    if threads is not None and threads < 1:
        raise ValueError(
            f"The component '{component}' is to use {threads} threads: give 1 or more, or null for "
            f"as many as torch uses ([components.{component}] threads)."
        )


def check_spans(component: str, spans: Mapping[str, str], tasks: Mapping[str, Any]) -> None:
    """Raises if a setting of `SPANS` is unknown, or is for a level that can't work on given spans."""
    takers = [name for name, task in tasks.items() if isinstance(task, Task) and task.takes_spans]
    for name, value in spans.items():
        if value not in SPANS:
            raise ValueError(
                f"[components.{component}.spans] {name} is '{value}'. Set it to one of {', '.join(SPANS)}."
            )
        if name not in takers and (value != "own" or name not in tasks):
            raise ValueError(
                f"[components.{component}.spans] says '{value}' for '{name}', but the levels that can work "
                f"on given spans are {takers}. Relations are between the spans of the level below them: set "
                f"that one's."
            )


def prepare_tasks(component: str, cfg: Mapping[str, Mapping[str, Any]], tasks: Mapping[str, Task]) -> None:
    """Give tasks what they observed in training. Raises if what was set in use means nothing: thresholds and
    spans of levels that there aren't.
    """
    check_threshold_names(component, cfg["thresholds"], tasks)
    check_spans(component, cfg["spans"], tasks)
    for name, task in tasks.items():
        task.prepare(cfg["observed"].get(name))
