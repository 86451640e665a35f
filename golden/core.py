# SPDX-License-Identifier: Apache-2.0
"""The definition of the core: what one step computes, bit for bit.

The RTL must equal this file in every bit. The file is plain integer Python, and numba compiles it
without a change, so that there is no second text. With ``NUMBA_DISABLE_JIT=1`` in the environment,
the interpreter runs it instead.

A step runs the operations of the program (`plan.program`) in their order::

    Add     s = sat(s + (w << shift))                  per event, for every neuron of its row
    Map     m = sat(rnd(B * m) + s)
            m = 0 if fired before                      reset zero_lose: m is not clamped then
            m = sat(rnd(B * m) + s - threshold)        reset subtract_next, if fired before
            fired = m > threshold                      strict
            m = 0, m = m - threshold                   zero_keep and subtract_same, if fired
            s = rnd(A * s)                             |rnd(A * s)| <= |s|, since A < 2**d

``shift`` is the sum of the model's fraction bits and the projection's shift.
``rnd(x) = (x + 2**(d-1)) >> d`` rounds half up, where d is the number of bits of a decay. ``sat``
clamps a state to its width. If it changes the state, it also sets the flag ``saturated``, which
stays set until the next reset. A population that does not spike has the largest m as its threshold,
and its m are outputs.

Some programs add rows for input events of earlier steps, or for the same events a second time. A
log then keeps the events of each step, in their order. If a step has more events than the log has
room, the log loses the others and sets ``saturated``.

A graded population gives values v in place of spikes::

    Add     s = s + gain * w                           gain 1 as an event comes, -1 as it leaves the
                                                       window, v for each value that is not 0
    Map     u = s + bias
            v = min(rnd(max(u, 0) * factor), largest)  rectified: v < largest, else ``saturated``
            v = u                                      of outputs, which are 0 in silent steps
            s = 0                                      unless s is the sum of a window
            v = sat(rnd((max(s, kept) + bias) * factor))    of a pool, in every second update
            kept = s                                        of a pool, in the updates between

A population with a period is updated in some steps only. In the others it gives no spikes and no
values.

With a normalized window, each event that is added to a part or subtracted from it changes the
count of its part and row, the sum of all counts, and the sum of their squares. A step has inner
steps. Each gives the first layer its currents from the sums of a part, and then updates all
layers::

    Map     s of the first layer = sat(rnd((cells * s - S1 * total) * root) + bias)

`model.inner` has ``cells``, ``total`` and ``root``. ``rnd`` loses as many bits as it says there. In
the first inner step, m is 0 and no neuron has fired before.

The windows have a log of their own, with room for the events of all steps that may still leave one.
An event that the log has no room for is never added, and sets ``saturated``. So a sum is never
wrong for longer than its window, and no input makes it exceed its width: see `model.graded`.
"""

from spikewright.base.cache import compiled
from spikewright.model.inner import ROOT_BITS
from spikewright.network.network import SUBTRACT_NEXT, SUBTRACT_SAME, ZERO_KEEP, ZERO_LOSE

from .arrays import CYCLE, INPUT, LOG, MAP, NORMALIZE, OUTPUT, POOL, SPIKES, VALUES, WINDOW

__all__ = ["run_steps"]


@compiled()
def saturate(value, largest, flags):
    """Clamp ``value`` to -largest - 1 .. largest. Set ``flags`` if that changes the value."""
    if value > largest:
        flags[0] = 1
        return largest
    if value < -largest - 1:
        flags[0] = 1
        return -largest - 1
    return value


@compiled()
def scaled(value, factor, bits):
    """``value * factor / 2**bits``, rounded half up."""
    return (value * factor + (1 << (bits - 1))) >> bits


@compiled()
def add_row(constants, state, operation, row, gain):
    """Add one row of weights, multiplied by ``gain``, to the sums of its targets."""
    largest = constants.limits[0]
    for i in range(operation["first"], operation["stop"]):
        drive = (gain * constants.weights[row, i]) << operation["shift"]
        state.s[i] = saturate(state.s[i] + drive, largest, state.flags)


@compiled()
def signed_digits(value):
    """Number of signed digits of ``value`` that are not 0, in the form without neighbours."""
    count = 0
    while value:
        if value & 1:
            value -= 2 - (value & 3)        # the digit: 1, or -1 before another 1
            count += 1
        value >>= 1
    return count


@compiled()
def log_event(state, slot, row):
    """Append an event to the log of its step, if there is room."""
    room = state.log.shape[1]
    if not room:
        return
    if state.logged[slot] == room:
        state.flags[0] = 1
        return
    state.log[slot, state.logged[slot]] = row
    state.logged[slot] += 1


@compiled()
def update(constants, state, operation, slot, previous):
    """Advance the neurons of a population by one step."""
    largest, bits = constants.limits[1], constants.limits[2]
    reset = operation["reset"]
    for i in range(operation["first"], operation["stop"]):
        threshold, begins = constants.threshold[i], operation["begins"]
        fired_before = state.spikes[previous, i] and not begins
        m = 0
        if not (fired_before and reset == ZERO_LOSE):
            m = scaled(0 if begins else state.m[i], constants.b[i], bits) + state.s[i]
            if fired_before and reset == SUBTRACT_NEXT:
                m -= threshold
            m = saturate(m, largest, state.flags)
        fired = m > threshold
        if fired and reset == ZERO_KEEP:
            m = 0
        elif fired and reset == SUBTRACT_SAME:
            m -= threshold
        state.m[i] = m
        state.spikes[slot, i] = fired
        state.s[i] = scaled(state.s[i], constants.a[i], bits)


@compiled()
def is_due(state, operation, interval):
    """Whether something that happens every ``interval`` steps happens in this step."""
    return (state.counts[3] - operation["phase"]) % interval == 0


@compiled()
def map_units(constants, state, operation, slot):
    """Give each unit of a graded population its value."""
    silent = state.counts[2] < constants.limits[3]
    gives = is_due(state, operation, operation["period"])
    for i in range(operation["first"], operation["stop"]):
        u = state.s[i] + constants.bias[i]
        if operation["kind"] == OUTPUT:
            state.m[i] = 0 if silent else u
        elif not gives:
            state.kept[i] = state.s[i]
        else:
            if operation["kind"] == POOL:
                u = max(state.s[i], state.kept[i]) + constants.bias[i]
            else:
                u = max(u, 0)
            value = scaled(u, constants.factor[i], constants.shift[i])
            state.m[i] = saturate(value, operation["largest"], state.flags)
            state.values[slot, i] = state.m[i]
        if not operation["keeps"]:
            state.s[i] = 0


@compiled()
def root_of(constants, square):
    """Root and exponent of ``square``, as `model.inner.root_of` has them."""
    exponent, index = 0, square
    while square >> 2 * exponent + 2:
        exponent += 1
    first = len(constants.roots) // 3
    while index >= 4 * first:
        index >>= 2
    while index < first:
        index <<= 2
    return constants.roots[index - first], exponent


@compiled()
def normalize(constants, state, operation):
    """Give the first layer its currents from the sums of a part of the window."""
    limits, once, squared = constants.limits, state.moments[0], state.moments[1]
    cells, epsilon, fraction = limits[4], limits[5], limits[6]
    root, exponent = root_of(constants, cells * squared - once * once + epsilon)
    for i in range(operation["first"], operation["stop"]):
        spread = cells * state.s[i] - once * constants.factor[i]
        current = scaled(spread, root, ROOT_BITS + exponent - fraction) + constants.bias[i]
        state.s[operation["target"] + i - operation["first"]] = saturate(current, limits[0],
                                                                         state.flags)


@compiled()
def count_event(state, part, row, sign):
    """Change a count of a normalized window by ``sign``, and the sums of all counts."""
    n = state.cells[part, row]
    state.moments[0] += sign
    state.moments[1] += 2 * sign * n + 1
    state.cells[part, row] = n + sign


@compiled()
def add_window(constants, state, operation, t):
    """Add a row for each event of the step that is due in the log of the windows; count them."""
    looks, counts = len(state.begins), state.counts
    if not operation["since"] <= counts[2] < operation["before"]:
        return 0
    first, stop = state.begins[(t - operation["delay"]) % looks], counts[0]
    if operation["delay"]:
        stop = state.begins[(t - operation["delay"] + 1) % looks]
    for n in range(first, stop):
        row = state.ring[n % len(state.ring)]
        add_row(constants, state, operation, operation["row"] + row, operation["sign"])
        if operation["part"] >= 0:
            count_event(state, operation["part"], row, operation["sign"])
    if operation["delay"] == looks - 1:         # no window has these events any more
        counts[1] = stop
    return stop - first


@compiled()
def take_event(state, row):
    """Append an event to the log of the windows. Return its gain: 0 if there is no room for it."""
    room, counts = len(state.ring), state.counts
    if not room:
        return 1
    if counts[0] - counts[1] == room:
        state.flags[0] = 1
        return 0
    state.ring[counts[0] % room] = row
    counts[0] += 1
    return 1


@compiled()
def run_steps(constants, state, stimulus, trace):
    """Run every step of ``stimulus``. Change ``state``, and write the results to ``trace``."""
    slots = len(state.spikes)
    for t in range(len(stimulus.start) - 1):
        if stimulus.reset[t]:
            state.s[:] = 0
            state.m[:] = 0
            state.kept[:] = 0
            state.spikes[:] = False
            state.values[:] = 0
            state.logged[:] = 0
            state.counts[:] = 0
            state.cells[:] = 0
            state.moments[:] = 0
            state.flags[0] = 0
        state.begins[t % len(state.begins)] = state.counts[0]
        state.spikes[t % slots] = False
        state.values[t % slots] = 0
        for k in range(len(constants.operations)):
            operation = constants.operations[k]
            events = 0
            if operation["kind"] == SPIKES:
                due = state.spikes[(t - operation["delay"]) % slots]
                for j in range(operation["rows"]):
                    if due[operation["origin"] + j]:
                        add_row(constants, state, operation, operation["row"] + j, 1)
                        events += 1
            elif operation["kind"] == INPUT:
                state.logged[t % slots] = 0
                for e in range(stimulus.start[t], stimulus.start[t + 1]):
                    gain = take_event(state, stimulus.row[e])
                    add_row(constants, state, operation, operation["row"] + stimulus.row[e], gain)
                    log_event(state, t % slots, stimulus.row[e])
                    events += 1
            elif operation["kind"] == LOG:
                due = (t - operation["delay"]) % slots
                for e in range(state.logged[due]):
                    add_row(constants, state, operation, operation["row"] + state.log[due, e], 1)
                    events += 1
            elif operation["kind"] == WINDOW:
                events = add_window(constants, state, operation, t)
            elif operation["kind"] == VALUES:
                given = state.values[(t - operation["delay"]) % slots]
                for j in range(operation["rows"]):
                    value = given[operation["origin"] + j]
                    if value:
                        add_row(constants, state, operation, operation["row"] + j, value)
                        events += signed_digits(value) if operation["digits"] else 1
            elif operation["kind"] == NORMALIZE:
                normalize(constants, state, operation)
            elif is_due(state, operation, operation["interval"]):
                if operation["kind"] != MAP:
                    map_units(constants, state, operation, t % slots)
                else:
                    # An inner step follows the one before, and the first one a step.
                    ago = 0 if operation["inner"] else operation["period"]
                    update(constants, state, operation, t % slots, (t - ago) % slots)
                    for i in range(operation["first"], operation["stop"]):
                        trace.fired[t, operation["inner"], i] = state.spikes[t % slots, i]
            else:
                events = 1
            trace.events[t, k] = events
        trace.membrane[t] = state.m
        trace.values[t] = state.values[t % slots]
        trace.saturated[t] = state.flags[0] == 1
        state.counts[2] = min(state.counts[2] + 1, len(state.begins) - 1)
        state.counts[3] = (state.counts[3] + 1) % CYCLE
