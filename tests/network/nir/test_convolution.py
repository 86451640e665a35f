# SPDX-License-Identifier: Apache-2.0
"""Unrolled convolutions and pools against torch."""

import numpy as np
import pytest

from spikewright.network.nir.graph import Node
from spikewright.network.nir.linear import apply, bias_of, shape_after

torch = pytest.importorskip("torch", reason="its functions are the reference")

# torch only says that it is slow with kernels of even size.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same':UserWarning")


def _node(kind, **values):
    return Node("c", kind, {key: value if isinstance(value, str) else np.asarray(value, float)
                            for key, value in values.items()})


def _check(node, shape, function):
    """The matrix from the unit arrays, and the bias, against ``function`` on random data."""
    size = int(np.prod(shape))
    matrix = apply(node, np.eye(size).reshape(size, *shape))
    after = matrix.shape[1:]
    assert after == shape_after(node, shape)
    x = np.random.default_rng(1).normal(size=(5, *shape))
    found = (x.reshape(5, size) @ matrix.reshape(size, -1)).reshape(5, *after)
    bias = bias_of(node, after)
    expected = function(torch.from_numpy(x)).numpy()
    assert expected.shape == found.shape
    assert np.allclose(found + (0 if bias is None else bias), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("padding", ["same", "valid", (0, 0), (2, 1)])
@pytest.mark.parametrize("dilation", [(1, 1), (2, 1)])
@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
@pytest.mark.parametrize("groups, channels", [(1, 3), (2, 4), (4, 4)])
def test_conv2d(padding, dilation, stride, groups, channels):
    if padding == "same" and stride != (1, 1):
        pytest.skip("torch has no padding same with a stride")
    rng = np.random.default_rng(0)
    for kernel in ((3, 3), (2, 4), (1, 2)):
        weight, bias = rng.normal(size=(4, channels // groups, *kernel)), rng.normal(size=4)
        node = _node("Conv2d", weight=weight, bias=bias, stride=stride, dilation=dilation,
                     groups=groups, padding=padding)
        _check(node, (channels, 9, 8), lambda x, w=weight, b=bias: torch.nn.functional.conv2d(
            x, torch.from_numpy(w), torch.from_numpy(b), stride, padding, dilation, groups))


@pytest.mark.parametrize("padding", ["same", "valid", 0, 2])
@pytest.mark.parametrize("stride, dilation, groups", [(1, 1, 1), (1, 3, 2), (2, 2, 1), (3, 1, 2)])
def test_conv1d(padding, stride, dilation, groups):
    if padding == "same" and stride != 1:
        pytest.skip("torch has no padding same with a stride")
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=(6, 4 // groups, 4)), rng.normal(size=6)
    node = _node("Conv1d", weight=weight, bias=bias, stride=stride, dilation=dilation,
                 groups=groups, padding=padding)
    _check(node, (4, 17), lambda x: torch.nn.functional.conv1d(
        x, torch.from_numpy(weight), torch.from_numpy(bias), stride, padding, dilation, groups))


@pytest.mark.parametrize("kernel, stride, padding", [
    ((2, 2), (2, 2), (0, 0)), ((3, 2), (1, 2), (1, 1)), ((3, 3), (2, 2), (1, 0)),
    ((2, 3), (3, 1), (0, 1))])
def test_pools(kernel, stride, padding):
    """Padding counts: torch divides by the size of the whole window, as its default."""
    mean = torch.nn.functional.avg_pool2d
    values = {"kernel_size": kernel, "stride": stride, "padding": padding}
    _check(_node("AvgPool2d", **values), (2, 8, 7), lambda x: mean(x, kernel, stride, padding))
    _check(_node("SumPool2d", **values), (2, 8, 7),
           lambda x: kernel[0] * kernel[1] * mean(x, kernel, stride, padding))


def test_pools_with_one_number():
    """As some exporters write them."""
    node = _node("AvgPool2d", kernel_size=2, stride=2, padding=0)
    _check(node, (3, 6, 6), lambda x: torch.nn.functional.avg_pool2d(x, 2, 2, 0))


@pytest.mark.parametrize("given, channels, inner, taken", [
    ((1, 2, 5, 5), 2, None, (2, 5, 5)), ((50,), 2, (5, 5), (2, 5, 5)),
    ((5, 5), 1, None, (1, 5, 5)), ((25,), 1, (5, 5), (1, 5, 5))])
def test_shapes_that_are_repaired(given, channels, inner, taken):
    """A batch of 1, a flat array whose shape the node has, and an image without channels."""
    values = {"weight": np.ones((3, channels, 3, 3)), "bias": np.zeros(3), "stride": 1,
              "dilation": 1, "groups": 1, "padding": "valid"}
    node = _node("Conv2d", **values, **({} if inner is None else {"input_shape": inner}))
    x = np.random.default_rng(0).normal(size=(4, *given))
    found = apply(node, x)
    assert found.shape == (4, 3, 3, 3)
    assert np.allclose(found, apply(node, x.reshape(4, *taken)))


@pytest.mark.parametrize("shape, weight, after", [
    ((4,), (3, 4), (3,)), ((1, 4), (3, 4), (1, 3)), ((2, 2, 3), (5, 12), (5,)),
    ((2, 4), (3, 4), (2, 3)), ((2, 4), (2, 3, 4), (2, 3))])
def test_linear(shape, weight, after):
    """Along the last axis, with weights of their own for each row, or over the whole array."""
    rng = np.random.default_rng(0)
    w, x = rng.normal(size=weight), rng.normal(size=(5, *shape))
    found = apply(_node("Linear", weight=w), x)
    assert found.shape == (5, *after)
    for row, one in zip(found, x, strict=True):
        if len(weight) == 3:
            expected = [w[k] @ one[k] for k in range(2)]
        elif one.shape[-1] == weight[-1]:
            expected = one @ w.T
        else:
            expected = w @ one.ravel()
        assert np.allclose(row, expected)


@pytest.mark.parametrize("dims, after", [((0, -1), (24,)), ((1, -1), (2, 12)), ((0, 1), (6, 4)),
                                         ((-2, -1), (2, 12)), ((1, 1), (2, 3, 4))])
def test_flatten(dims, after):
    node = _node("Flatten", start_dim=dims[0], end_dim=dims[1])
    assert shape_after(node, (2, 3, 4)) == after
