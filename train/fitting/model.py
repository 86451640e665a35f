# SPDX-License-Identifier: Apache-2.0
"""The published networks in torch: same update order, same parameters, same state-dict keys."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn.functional import softplus

from spikewright.base.errors import InputError
from spikewright.base.files import written_file
from spikewright.network.constants import BIG_HEADS, DT, TAU_MEM, TAU_SYN
from spikewright.network.state_dicts.rsnn import (
    BIG_KEYS,
    FIRST_HEAD,
    INPUT_DELAY,
    KEYS,
    OUTPUT_DELAY,
    TINY_HEADS,
)
from spikewright.network.tensors import TIMES, read_tensors

from .kernel import State, continue_steps, run_steps

__all__ = ["LEAD", "BigRSNN", "TinyRSNN"]

#: Steps by which an output comes earlier at the earliest time.
LEAD = INPUT_DELAY + OUTPUT_DELAY
HIDDEN_LEAD = INPUT_DELAY + 1           # the published code has a spike one step after its membrane

_ONE = 0.5413248546129181       # softplus(_ONE) == 1: a time constant starts at its base


class _Connection(nn.Module):
    def __init__(self, sources: int, targets: int):
        super().__init__()
        self.op = nn.Linear(sources, targets, bias=False)


class _Group(nn.Module):
    def __init__(self, units: int, suffix: str):
        super().__init__()
        self.register_parameter(f"mem_param{suffix}", nn.Parameter(torch.full((units,), _ONE)))
        self.register_parameter(f"syn_param{suffix}", nn.Parameter(torch.full((units,), _ONE)))


class TinyRSNN(nn.Module):
    """Recurrent spiking decoder: ``channels`` inputs, ``hidden`` LIF units, ``outputs`` leaky ones.

    One step in the published order, with all right-hand sides old, threshold 1 and no biases::

        z'    = [mem > 1]
        syn'  = a syn + W1 x[t-1] + W2 z
        mem'  = (b mem + (1 - b) syn) (1 - z')
        rsyn' = ra rsyn + W3 z
        rmem' = rb rmem + (1 - rb) rsyn         the output of the step

    with ``a = exp(-dt / (TAU_SYN softplus(syn_param)))`` per unit, and ``b`` likewise from
    ``mem_param``. All of it is trainable; the reset passes no gradient. With several heads, each
    has a W3 and time constants of its own, and the output is their mean.

    Parameters
    ----------
    channels, hidden, outputs : int
        Units of each layer.
    dt : float
        Seconds per step.
    time : str
        ``"published"``, or ``"earliest"``: outputs come ``LEAD`` steps earlier. They then depend on
        the input of their own step, as those of the hardware do.
    offset : list of float, optional
        What is added to each output outside of the network, so not by `forward`. By default, 0.

    Members
    -------
    heads : tuple
        Membrane and current time constants of each readout head, in seconds.
    keys : dict
        Its state dict in a file.
    run_steps : function
        What computes the steps with gradients: `kernel.run_steps`, or `loop.loop_steps`.
    """
    heads: tuple[tuple[float, float], ...] = TINY_HEADS
    keys = KEYS
    run_steps: Callable = staticmethod(run_steps)
    con3: _Connection

    def __init__(self, channels: int, hidden: int = 64, outputs: int = 2, dt: float = DT,
                 time: str = TIMES[0], offset: list[float] | None = None):
        super().__init__()
        self.dt     = dt
        self.time   = time
        self.offset = offset or [0.0] * outputs
        self.con1   = _Connection(channels, hidden)
        self.con2   = _Connection(hidden, hidden)
        for k in self._numbers():
            self.add_module(f"con{k}", _Connection(hidden, outputs))
        self.group2 = _Group(hidden, "")
        for k in self._numbers():
            self.add_module(f"group{k}", _Group(outputs, "_readout"))

    def _numbers(self) -> range:
        """Numbers of the heads in the keys."""
        return range(FIRST_HEAD, FIRST_HEAD + len(self.heads))

    def matrices(self) -> list[Tensor]:
        """Weights of the input, of the recurrence and of each head."""
        return [self.get_parameter(f"con{k}.op.weight") for k in (1, 2, *self._numbers())]

    @classmethod
    def load(cls, path: Path, dt: float, time: str = TIMES[1]) -> "TinyRSNN":
        """Network of a file, with steps of ``dt`` seconds and answers at ``time``.

        Raises
        ------
        InputError
            If the file cannot be read safely, or has no network of this kind, or another dt.
        """
        tensors, said = read_tensors(path)
        if said.dt not in (None, dt):
            raise InputError(f"Network {path} dt must be {dt} s, as the recording has, not "
                             f"{said.dt}")
        if not set(cls.keys) <= tensors.keys():
            raise InputError(f"Network {path} must have the tensors {', '.join(cls.keys)}, not "
                             f"only {', '.join(sorted(tensors))}")
        state = {key: torch.from_numpy(tensors[key]) for key in cls.keys}
        try:
            return cls.from_state(state, dt, time, said.offset)
        except (RuntimeError, ValueError) as error:
            raise InputError(f"Network {path} must have tensors that fit together, as a tinyRSNN "
                             "has") from error

    @classmethod
    def from_state(cls, state: Mapping[str, Tensor], dt: float = DT,
                   time: str = TIMES[0], offset: list[float] | None = None) -> "TinyRSNN":
        """Network of a state dict: takes ``keys`` as float32, and ignores other keys."""
        hidden, channels = state["con1.op.weight"].shape
        model = cls(channels, hidden, state["con3.op.weight"].shape[0], dt, time,
                    offset)
        model.load_state_dict({key: state[key].float() for key in cls.keys})
        return model

    def decays(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Decays of one step ``(a, b, ra, rb)``; those of all heads, one after the other."""
        def decay(key: str, tau: float) -> Tensor:
            return torch.exp(-self.dt / (tau * softplus(self.get_parameter(key))))

        heads = list(zip(self._numbers(), self.heads, strict=True))
        return (
            decay("group2.syn_param", TAU_SYN),
            decay("group2.mem_param", TAU_MEM),
            torch.cat([decay(f"group{k}.syn_param_readout", tau) for k, (_, tau) in heads]),
            torch.cat([decay(f"group{k}.mem_param_readout", tau) for k, (tau, _) in heads]),
        )

    def forward(self, spikes: Tensor) -> tuple[Tensor, Tensor]:
        """Run from zero state.

        Parameters
        ----------
        spikes : float32, (steps, batch, channels)
            Spikes of each channel in each bin.

        Returns
        -------
        output : float32, (steps, batch, outputs)
            Velocity, in the unit that the network was trained for.
        hidden : float32, (steps, batch, hidden)
            Spikes of the hidden units, 0 or 1.
        """
        if self.time == TIMES[0]:
            return self._published(spikes)
        steps = len(spikes)
        output, hidden = self._published(torch.cat([spikes, torch.zeros_like(spikes[:1]).expand(
            LEAD, -1, -1)]))
        return output[LEAD:], hidden[HIDDEN_LEAD:][:steps]

    def _published(self, spikes: Tensor) -> tuple[Tensor, Tensor]:
        heads, hidden = self.run_steps(self.con1.op(spikes), self.con2.op.weight, self.readout(),
                                       self.decays())
        return self.mean(heads), hidden

    def further(self, spikes: Tensor, state: State | None = None) -> tuple[Tensor, Tensor, State]:
        """Run on from the ``state`` that the last call gave, always at the published time.

        Gives what `forward` gives, without gradients, and the state for the steps that follow.
        """
        heads, hidden, state = continue_steps(self.con1.op(spikes), self.con2.op.weight,
                                              self.readout(), self.decays(), state)
        return self.mean(heads), hidden, state

    def readout(self) -> Tensor:
        """Weights of all heads, one after the other: (heads x outputs, hidden)."""
        return torch.cat(self.matrices()[2:])

    def mean(self, heads: Tensor) -> Tensor:
        """Mean over the heads: (steps, batch, outputs)."""
        return heads.unflatten(-1, (len(self.heads), -1)).mean(-2)

    def rounded(self) -> "TinyRSNN":
        """The network with parameters rounded to float16."""
        state = {key: value.half() for key, value in self.state_dict().items()}
        self._check_finite(state, "from -65504 to 65504, so that it fits in half precision")
        return self.from_state(state, self.dt, self.time, self.offset)

    def _check_finite(self, state: dict[str, Tensor], rule: str) -> None:
        """Check that ``state``, the parameters as they are written, has finite numbers only."""
        for key, value in state.items():
            bad = self.state_dict()[key][~value.isfinite()]
            if bad.numel():
                raise InputError(f"Network {key} must be {rule}, not {bad[0].item()!r}")

    def checkpoint(self, path: Path, half: bool = True) -> None:
        """Write ``keys`` to a .safetensors file, as float16, or as float32 where not ``half``.

        Its metadata has ``dt`` and ``time``, and ``offset`` if that is not 0. The file appears
        whole or not at all.
        """
        state = self.state_dict()
        self._check_finite(state, "finite")
        if half:
            state = {key: value.half() for key, value in self.rounded().state_dict().items()}
        said  = {"dt": repr(float(self.dt)), "time": self.time}
        if any(self.offset):
            said["offset"] = json.dumps(self.offset)
        with written_file(path) as temporary:
            temporary.write_bytes(_in_order(save(state, metadata=said)))


class BigRSNN(TinyRSNN):
    """The published network of five heads: `TinyRSNN` says the rest."""
    heads = BIG_HEADS
    keys = BIG_KEYS


def _in_order(content: bytes) -> bytes:
    """The same .safetensors file with a sorted header: `save` has no fixed order of metadata."""
    size   = int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8:8 + size]), sort_keys=True, separators=(",", ":"))
    return content[:8] + header.encode().ljust(size) + content[8 + size:]
