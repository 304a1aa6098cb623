"""The hierarchy as the config gives it, checked."""

from typing import Any, Dict, List

from .tasks.base import Task


def ordered_tasks(component: str, hierarchy: List[str], tasks: Dict[str, Any]) -> Dict[str, Task]:
    """The tasks of a hierarchy, lowest first; each may read only levels below it."""
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
    return {name: tasks[name] for name in hierarchy}
