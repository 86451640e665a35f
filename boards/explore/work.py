# SPDX-License-Identifier: Apache-2.0
"""The work of an exploration: jobs that configurations still need, and their results."""

import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field

from tqdm import tqdm

from spikewright.plan.config import CoreConfig

from .jobs import Design, Store, place_design, synthesize_design

__all__ = ["Point", "Work"]


@dataclass(kw_only=True)
class Point:
    """A configuration and its results.

    Parameters
    ----------
    config : CoreConfig
    key : str
        Key of its design; empty if it has none.
    reason : str
        Reason why there is no design to place; empty if there is one.
    runs : dict of int to dict
        Results of `boards.explore.jobs.place_design`, by seed.
    failures : dict of int to str
        Reasons why placements failed, by seed.
    """

    config: CoreConfig
    key: str = ""
    reason: str = ""
    runs: dict[int, dict] = field(default_factory=dict)
    failures: dict[int, str] = field(default_factory=dict)


class Work:
    """Jobs that are running. Points with the same design share its jobs.

    Parameters
    ----------
    store : Store
    executor : concurrent.futures.Executor
    seeds : range
    """

    def __init__(self, store: Store, executor: Executor, seeds: range):
        self.store = store
        self.executor = executor
        self.seeds = seeds
        self.points: dict[str, list[Point]] = {}
        self.designs: dict[str, Design] = {}
        self.waiting: dict[Future, tuple[str, int | None]] = {}
        self.done = self.total = 0

    def add(self, point: Point, facts: list, design_of: Callable[[CoreConfig], Design]) -> None:
        """Look up results of ``point``, which ``facts`` determine, and begin the missing jobs."""
        key = self.store.known(facts)
        design = None
        try:
            if key is None or not self._complete(key):
                design = design_of(point.config)
                key = design.key
                self.store.know(facts, key)
        except ValueError as error:
            point.reason = str(error)
            return
        point.key = key
        alike = self.points.setdefault(key, [])
        alike.append(point)
        point.reason = self.store.refusal(key) or ""
        point.runs = {seed: run for seed in self.seeds if (run := self.store.run(key, seed))}
        if design is None or len(alike) > 1:
            return
        self.designs[key] = design
        netlist = self.store.netlist(key)
        self.total += len(self.seeds) - len(point.runs) + (netlist is None)
        if netlist is None:
            self._submit(key, None, synthesize_design, design)
        else:
            self._place(key, netlist)

    def _complete(self, key: str) -> bool:
        return bool(self.store.refusal(key)
                    or all(self.store.run(key, seed) for seed in self.seeds))

    def _place(self, key: str, netlist: bytes) -> None:
        for seed in self.seeds:
            if seed not in self.points[key][0].runs:
                self._submit(key, seed, place_design, self.designs[key], netlist, seed)

    def _submit(self, key: str, seed: int | None, *call) -> None:
        self.waiting[self.executor.submit(*call)] = key, seed

    def finish(self) -> None:
        """Wait for all jobs; each result is stored as soon as the job ends."""
        for told in self._progress():
            ended, _ = wait(self.waiting, timeout=1, return_when=FIRST_COMPLETED)
            for future in ended:
                key, seed = self.waiting.pop(future)
                self.done += 1
                told(self._take(key, seed, future.result()))

    def _progress(self) -> Iterator:
        begin = time.monotonic()
        with tqdm(total=self.total, desc="explore", unit="run", leave=False,
                  disable=not sys.stderr.isatty()) as bar:
            def told(line: str) -> None:
                bar.total, bar.n = self.total, self.done
                left = (time.monotonic() - begin) / self.done * (self.total - self.done)
                tqdm.write(f"{self.done} of {self.total}: {line}"
                           + (f"; {_duration(left)} left" if left else ""), file=sys.stderr)

            while self.waiting:
                yield told
                bar.refresh()

    def _take(self, key: str, seed: int | None, result: dict) -> str:
        """Store a result, begin the jobs that it allows, and describe it."""
        points = self.points[key]
        lanes = points[0].config.lanes
        name = "1 lane" if lanes == 1 else f"{lanes} lanes"
        if seed is None:
            if "netlist" in result:
                self.store.keep_netlist(key, result["netlist"])
                self._place(key, result["netlist"])
                return f"{name}, synthesized"
            self.total -= len(self.seeds) - len(points[0].runs)
            if "refused" in result:
                self.store.keep_refusal(key, result["refused"])
            for point in points:
                point.reason = result.get("refused") or result["failed"]
            return f"{name}, not possible"
        for point in points:
            if "failed" in result:
                point.failures[seed] = result["failed"]
            else:
                point.runs[seed] = result
        if "failed" in result:
            return f"{name}, seed {seed}, failed"
        self.store.keep_run(key, result)
        return f"{name}, seed {seed}, {result['fmax_mhz']:.1f} MHz"


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes else "less than a minute"
