# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0

import numpy as np

from spikewright.hw.link.layouts import page_init
from spikewright.hw.link.store import Store
from tests.hw.bench import simulate
from tests.hw.link.link_bench import link_params


def page_address(position):
    return (position >> 5 & 1) << 8 | 0xe0 | position & 0x1f


def test_store_serves_three_users_at_once():
    params = link_params()
    dut    = Store(params)
    rng    = np.random.default_rng(1)
    memory = page_init(params)
    done   = {"receiver": 0, "counters": 0, "walker": 0, "reads": 0}

    async def run(ctx):
        asked = None            # what was asked for in the last cycle, and by whom
        late  = None            # what is being written
        busy  = True            # the walker waits: for the last cycle, or for this one
        receives, claims = (rng.integers(4, size=(2, 3001)) == 0).tolist()
        for cycle in range(3000):
            write, page_write, page, slot, read = (int(bit) for bit in rng.integers(2, size=5))
            receive, claim = receives[cycle], claims[cycle]
            address   = int(rng.integers(224)) | int(rng.integers(2)) << 8
            position  = int(rng.integers(48 if page else 224))
            counter   = int(rng.integers(32))
            data      = [int(byte) for byte in rng.integers(256, size=3)]
            for signal, value in ((dut.receive.soon, receives[cycle + 1]),
                                  (dut.receive.write, receive),
                                  (dut.receive.address, address),
                                  (dut.receive.data, data[0]),
                                  (dut.page.soon, claims[cycle + 1]),
                                  (dut.page.claim, claim), (dut.page.position, counter),
                                  (dut.page.data, data[1]), (dut.slot, slot),
                                  (dut.walk.read, read),
                                  (dut.walk.position, position), (dut.walk.page, page),
                                  (dut.walk.data, data[2])):
                ctx.set(signal, value)
            # Each user writes only as it may.
            page_write &= claim & ctx.get(dut.page.grant)
            write      &= ctx.get(dut.walk.grant)
            ctx.set(dut.page.write, page_write)
            ctx.set(dut.walk.write, write)

            assert ctx.get(dut.walk.grant) == (not busy)
            busy = receive or claim or write or receives[cycle + 1] or claims[cycle + 1]
            if ctx.get(dut.walk.grant):
                assert not receive and not claim and late is None
            assert ctx.get(dut.page.grant) == (not receive)
            if asked is not None:
                port, where = asked
                assert ctx.get(port.value) == memory[where]
                done["reads"] += 1

            # The byte that is written in this cycle is in nobody's hands yet.
            here  = page_address(position) if page else slot << 8 | position
            asked = (dut.page, page_address(counter)) if claim else None
            if read and ctx.get(dut.walk.grant):
                asked = dut.walk, here
            if late is not None:
                if asked is not None and asked[1] == late[0]:
                    asked = None
                memory[late[0]] = late[1]
            late = None
            if receive:
                late = address, data[0]
                done["receiver"] += 1
            elif page_write:
                late = page_address(counter), data[1]
                done["counters"] += 1
            elif write:
                late = here, data[2]
                done["walker"] += 1
            await ctx.tick()
        assert min(done.values()) > 200

    simulate(dut, run, max_cycles=3010)
