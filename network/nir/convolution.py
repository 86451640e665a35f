# SPDX-License-Identifier: Apache-2.0
"""Convolutions and pools of stacks of arrays."""

import math

import numpy as np

from .graph import Node, quoted

__all__ = ["convolve", "pool"]

# Values of one channel with its padding. A larger one is an error of the file.
MOST_VALUES = 1 << 22


def convolve(node: Node, stack: np.ndarray) -> np.ndarray:
    """The convolution of ``stack``, of shape (rows, channels, height, width), without its bias.

    As in every framework, it is a correlation: the kernel is not turned around. A Conv1d comes with
    a height of 1.
    """
    weight, groups = node.array("weight"), node.whole("groups", 1)[0]
    flat = node.kind == "Conv1d"
    shape, kernel = stack.shape[1:], weight.shape[2:]
    if weight.shape[1] * groups != shape[0] or weight.shape[0] % groups:
        raise ValueError(f"Node {node.name} weight must meet {shape[0]} channels in {groups} "
                         f"groups, not have the shape {quoted(weight.shape)}")
    stride, dilation = (node.whole(key, len(kernel)) for key in ("stride", "dilation"))
    before, after = _padding(node, kernel, stride, dilation)
    if flat:
        weight = weight[:, :, None]
        kernel, stride, dilation = (1, *kernel), (1, *stride), (1, *dilation)
        before, after = (0, *before), (0, *after)
    grouped = stack.reshape(len(stack), groups, shape[0] // groups, *shape[1:])
    parts = weight.reshape(groups, -1, *weight.shape[1:])
    found = sum(np.einsum("ngchw,goc->ngohw", window, parts[..., row, column], optimize=True)
                for row, column, window
                in _windows(node, grouped, kernel, stride, dilation, before, after))
    return np.reshape(found, (len(stack), len(weight), *np.shape(found)[3:]))


def pool(node: Node, stack: np.ndarray) -> np.ndarray:
    """The sum or the mean over windows of the last two axes.

    Padding is with zeros. A mean divides by the size of the whole window, zeros included.
    """
    kernel, stride = node.whole("kernel_size", 2), node.whole("stride", 2)
    padding = node.whole("padding", 2, least=0)
    size = kernel[0] * kernel[1] if node.kind == "AvgPool2d" else 1
    before, after = padding, padding
    if node.spyx:           # it writes the sum of both
        before = tuple(zeros // 2 for zeros in padding)
        after = tuple(zeros - zeros // 2 for zeros in padding)
    windows = _windows(node, stack, kernel, stride, (1, 1), before, after)
    return np.asarray(sum(window for _, _, window in windows) / size)


def _windows(node, stack, kernel, stride, dilation, before, after):
    """For each place of the kernel, its row and column, and the values that it meets."""
    lead = [(0, 0)] * (stack.ndim - 2)
    wide = [first + size + last
            for first, size, last in zip(before, stack.shape[-2:], after, strict=True)]
    if math.prod(wide) > MOST_VALUES:
        raise ValueError(f"Node {node.name} padding must give at most {MOST_VALUES} values, not "
                         f"{' x '.join(f'{size:.7g}' for size in wide)}")
    padded = np.pad(stack, [*lead, *zip(before, after, strict=True)])
    room = [size - step * (width - 1) for size, step, width
            in zip(padded.shape[-2:], dilation, kernel, strict=True)]
    if min(room) < 1:
        raise ValueError(f"Node {node.name} must have a kernel that fits its input, not "
                         f"{quoted(kernel)} for {quoted(stack.shape[-2:])}")
    for row in range(kernel[0]):
        for column in range(kernel[1]):
            top, left = row * dilation[0], column * dilation[1]
            yield row, column, padded[..., top:top + room[0]:stride[0],
                                      left:left + room[1]:stride[1]]


def _padding(node: Node, kernel, stride, dilation):
    """Zeros before and after each axis."""
    padding = node.values["padding"]
    if isinstance(padding, str):
        if padding == "valid":
            return (0,) * len(kernel), (0,) * len(kernel)
        if padding != "same":
            raise ValueError(f"Node {node.name} padding must be same, valid or numbers, not "
                             f"{padding!r}")
        if any(step != 1 for step in stride):
            raise ValueError(f"Node {node.name} stride must be 1 with the padding same, not "
                             f"{quoted(stride)}")
        sizes = [step * (width - 1) for step, width in zip(dilation, kernel, strict=True)]
        return tuple(size // 2 for size in sizes), tuple(size - size // 2 for size in sizes)
    both = node.whole("padding", len(kernel), least=0)
    return both, both
