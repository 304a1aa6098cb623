"""Work for the benchmarks to measure, in a module that a new process imports fast."""

from benchmarks.measure import Work


def count(words):
    passes = []

    def run():
        passes.append(1)
        return {"passes": float(len(passes))}

    return Work(run, words)


def fail():
    return Work(lambda: 1 / 0, 0)
