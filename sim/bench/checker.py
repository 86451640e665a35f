# SPDX-License-Identifier: Apache-2.0
"""Checker: compares every result of the core with golden."""

from spikewright.plan.layout import NO_COLUMN

from .agents import Result
from .script import Script

__all__ = ["Checker"]


class Checker:
    """Compares results with a script. The first difference ends the run.

    Values and ``cycles`` must equal golden with any stalls. The core does not count cycles in which
    it waits for a token and the adder is empty, nor cycles in which a result waits. ``latency`` is
    only defined if tokens wait for the core.

    Parameters
    ----------
    script : Script
    latency : bool
        Whether to check the latency, too.
    """

    def __init__(self, script: Script, *, latency: bool):
        self.script = script
        self.latency = latency

    def check(self, t: int, result: Result, *, was_reset: bool) -> None:
        """Compare the result of step ``t``.

        A RESET clears the core's own count, but not ``busy``. If ``was_reset``, ``busy`` is
        therefore not checked.
        """
        script, spikes = self.script, [0] * self.script.spikes.shape[1]
        for neuron in result.spikes:
            assert neuron < len(script.column) and script.column[neuron] != -1, \
                f"spike in step {t} must be of a spiking neuron, not {neuron}"
            if script.column[neuron] != NO_COLUMN:
                spikes[script.column[neuron]] += 1
        self._equal("step", t, result.step, t)
        self._equal("velocity_int", t, result.velocity_int, script.velocity_int[t].tolist())
        self._equal("spikes", t, spikes, script.spikes[t].tolist())
        values = [result.values.pop(group, 0) for group in script.group.tolist()]
        self._equal("values", t, values, script.values[t].tolist())
        assert not result.values, f"output in step {t} must give no value to others"
        self._equal("saturated", t, result.saturated, bool(script.saturated[t]))
        self._equal("cycles", t, result.cycles, int(script.cycles[t]))
        if not was_reset:
            self._equal("busy cycles", t, result.busy, result.cycles)
        if self.latency:
            self._equal("latency", t, result.latency, int(script.latency[t]))

    def _equal(self, field, t, have, want):
        if have == want:
            return
        where = f"{field} in step {t}"
        if isinstance(want, list):
            k = next(k for k, (h, w) in enumerate(zip(have, want, strict=True)) if h != w)
            where, have, want = f"{where}, entry {k}", have[k], want[k]
        raise AssertionError(f"{where} must be {int(want)}, as golden has, not {int(have)}")
