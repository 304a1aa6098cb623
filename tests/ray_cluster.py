"""Several Ray nodes on this machine, and runs on them."""

import os
import sys
from contextlib import contextmanager
from pathlib import Path

from ray.cluster_utils import Cluster

TESTS = Path(__file__).parent
STORE = 80 << 20  # of each node, in bytes; Ray takes no less than 75 MiB
ENVIRONMENT = {
    "PYTHONPATH": os.pathsep.join([str(TESTS), *filter(None, sys.path)]),  # where workers find components
    "OMP_NUM_THREADS": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",  # else there would be a token in the home
    "RAY_num_prestart_python_workers": "0",  # processes that would wait for work that no test has
    "RAY_enable_worker_prestart": "0",
    "RAY_prestart_worker_first_driver": "0",
    "RAY_worker_niceness": "0",  # else anything else on the machine goes first
    "RAY_OBJECT_STORE_ALLOW_SLOW_STORAGE": "1",  # where /dev/shm is small
}


def add_node(cluster, n_cpus, **settings):
    """Another node, with CPUs by name only: they say how many workers it takes."""
    return cluster.add_node(num_cpus=n_cpus, object_store_memory=STORE, **settings)


@contextmanager
def cluster_of(*nodes, **settings):
    """A cluster whose head, where the drivers are, has no CPU; a node for each number of CPUs.

    settings: environment variables.
    """
    environment = {**ENVIRONMENT, **settings}
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    cluster = Cluster()
    try:
        add_node(cluster, 0, include_dashboard=False)
        for n_cpus in nodes:
            add_node(cluster, n_cpus)
        yield cluster
    finally:
        cluster.shutdown()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
