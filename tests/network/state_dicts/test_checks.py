# SPDX-License-Identifier: Apache-2.0
"""Numbers in messages are as the user wrote them."""

import numpy as np
import pytest

from spikewright.network.state_dicts.checks import written


@pytest.mark.parametrize("number, text", [
    (2.0, "2"), (-1.5, "-1.5"), (np.float32(0.1), "0.1"), (0.1, "0.1"), (np.float16(0.1), "0.1"),
    (1.0000001, "1.0000001"), (np.float32(1e-9), "1e-09"), (1e300, "1e+300"), (np.nan, "nan"),
    (-np.inf, "-inf"), (1 / 3, "0.3333333333333333")])
def test_written(number, text):
    assert written(np.float64(number)) == text
