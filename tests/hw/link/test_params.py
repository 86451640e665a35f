# amaranth: UnusedElaboratable=no
# SPDX-License-Identifier: Apache-2.0

import re

import pytest

from spikewright.hw.link.layouts import page_init
from spikewright.hw.link.uart import UartRx, UartTx
from tests.hw.link.link_bench import HASH, PROGRAM, link_params


@pytest.mark.parametrize("changes, error, message", [
    ({"rows": 0},             ValueError, "Link rows must be between 1 and 65536, not 0"),
    ({"rows": 65537},         ValueError, "Link rows must be between 1 and 65536, not 65537"),
    ({"rows": 96.0},          TypeError,  "Link rows must be an int, not 96.0"),
    ({"outputs": 53},         ValueError, "Link outputs must be between 1 and 52, not 53"),
    ({"outputs": True},       TypeError,  "Link outputs must be an int, not True"),
    ({"width": 33},           ValueError, "Link width must be between 1 and 32, not 33"),
    ({"clock_hz": 999_999},   ValueError, ("Link clock_hz must be between 1000000 and 1000000000, "
                                           "not 999999")),
    ({"baud": 3_000_001},     ValueError, ("Link baud must be between 9600 and 3000000, a bit of 8 "
                                           "clock cycles, not 3000001")),
    ({"baud": 2_800_000},     ValueError, ("Link baud must be within 2 % of clock_hz divided by an "
                                           "integer (nearest: 2666667), not 2800000")),
    ({"model_hash": "9f"},    TypeError,  "Link model_hash must be bytes, not '9f'"),
    ({"program_hash": PROGRAM[1:]}, ValueError, ("Link program_hash must be 8 bytes long, "
                                                 f"not {PROGRAM[1:]!r}")),
    ({"model_hash": HASH[1:]}, ValueError, ("Link model_hash must be 8 bytes long, "
                                            f"not {HASH[1:]!r}")),
])
def test_link_params_wrong(changes, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        link_params(**changes)


@pytest.mark.parametrize("clock_hz, baud, divisor", [
    (12_000_000, 115_200, 104), (12_000_000, 1_000_000, 12), (24_000_000, 3_000_000, 8),
    (48_000_000, 921_600, 52), (16_000_000, 115_200, 139), (25_000_000, 3_000_000, 8),
])
def test_link_divisor_is_nearest(clock_hz, baud, divisor):
    if clock_hz == 25_000_000:
        with pytest.raises(ValueError, match="within 2 %"):
            link_params(clock_hz=clock_hz, baud=baud)
    else:
        assert link_params(clock_hz=clock_hz, baud=baud).divisor == divisor


@pytest.mark.parametrize("uart", [UartRx, UartTx])
@pytest.mark.parametrize("divisor, error, message", [
    (3,   ValueError, "UART divisor must be at least 4, not 3"),
    (8.0, TypeError,  "UART divisor must be an int, not 8.0"),
])
def test_uart_divisor_wrong(uart, divisor, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        uart(divisor)


def test_page_lies_above_the_slots():
    init = page_init(link_params(rows=256, outputs=7))
    assert len(init) == 512
    assert not any(init[:246]) and not any(init[256:480])
    # Positions 22 to 31 of INFO, then 32 to 47.
    assert init[246:256] == [0, 1, *HASH]
    assert init[480:496] == [*(24_000).to_bytes(3, "little"), 7, 0, 2, 224, 0, *PROGRAM]
    assert not any(init[496:])
