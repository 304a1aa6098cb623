"""The hierarchy as the config gives it, checked."""

from typing import Any, Dict, Iterable, List, Mapping

from .tasks.base import Task


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
