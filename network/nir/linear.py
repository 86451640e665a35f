# SPDX-License-Identifier: Apache-2.0
"""Nodes without a state: what each makes of a stack of arrays.

A stack has the shape (rows, *shape). Each of its rows is one array that the node gets.
"""

import math

import numpy as np

from .convolution import convolve, pool
from .graph import Node, quoted

__all__ = ["apply", "bias_of", "shape_after", "spread"]


def apply(node: Node, stack: np.ndarray) -> np.ndarray:
    """The stack behind ``node``, without its bias. A Delay changes no value here.

    Raises
    ------
    ValueError
        If the shape of the stack does not meet that of the node.
    """
    if node.kind in ("Linear", "Affine"):
        return _linear(node, stack)
    if node.kind == "Scale":
        return stack * spread(node.array("scale"), stack.shape[1:], node.name, "scale")
    if node.kind == "Conv2d":
        return convolve(node, _axes(node, stack, 3))
    if node.kind == "Conv1d":
        return convolve(node, _axes(node, stack, 2)[:, :, None])[:, :, 0]
    if node.kind in ("SumPool2d", "AvgPool2d"):
        if stack.ndim < 3:
            raise ValueError(f"Node {node.name} of type {node.kind} must get rows and columns, not "
                             f"the shape {quoted(stack.shape[1:])}")
        return pool(node, stack)
    if node.kind == "Flatten":
        return _flatten(node, stack)
    return stack


def bias_of(node: Node, shape: tuple[int, ...]) -> np.ndarray | None:
    """What ``node`` adds in every step to an array of ``shape`` behind it."""
    if "bias" not in node.values:
        return None
    bias = node.array("bias")
    if node.kind in ("Conv1d", "Conv2d"):
        if bias.size not in (1, shape[0]):
            raise ValueError(f"Node {node.name} bias must have {shape[0]} values, not "
                             f"{bias.size}")
        bias = bias.reshape(-1, *[1] * (len(shape) - 1))
    return spread(bias, shape, node.name, "bias")


def shape_after(node: Node, shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape behind ``node`` of an array that has ``shape`` before it."""
    return apply(node, np.zeros((0, *shape))).shape[1:]


def spread(values: np.ndarray, shape: tuple[int, ...], name: str, key: str) -> np.ndarray:
    """``values`` in ``shape``: one for all, one for each, or one for each channel.

    Raises
    ------
    ValueError
        If they do not fit, or if it is not clear along which axis they lie.
    """
    if values.size == math.prod(shape):
        return values.reshape(shape)
    if values.size == 1:
        return np.full(shape, values.reshape(()))
    if values.ndim == 1 and len(shape) > 1 and shape[0] == len(values):
        if shape[-1] == len(values):
            raise ValueError(f"Node {name} {key} must have a shape that says its axis, not "
                             f"{quoted(values.shape)} for {quoted(shape)}: write "
                             f"{quoted((len(values), *[1] * (len(shape) - 1)))}")
        values = values.reshape(-1, *[1] * (len(shape) - 1))
    try:
        return np.broadcast_to(values, shape)
    except ValueError:
        raise ValueError(f"Node {name} {key} must fit the shape {quoted(shape)}, not have the "
                         f"shape {quoted(values.shape)}") from None


def _linear(node: Node, stack: np.ndarray) -> np.ndarray:
    """The product with the weights along the last axis, or with the whole array in C order."""
    weight = node.array("weight")
    if weight.ndim < 2:
        raise ValueError(f"Node {node.name} weight must have two axes or more, not the shape "
                         f"{quoted(weight.shape)}")
    shape, inputs = stack.shape[1:], weight.shape[-1]
    if shape and shape[-1] == inputs and (weight.ndim == 2 or weight.shape[:-2] == shape[:-1]):
        return (weight @ stack[..., None])[..., 0]
    if weight.ndim == 2 and math.prod(shape) == inputs:
        return stack.reshape(len(stack), inputs) @ weight.T
    hint = (": its weights may be transposed, as older spyx wrote them"
            if weight.ndim == 2 and math.prod(shape) == len(weight) else "")
    raise ValueError(f"Node {node.name} weight must meet the shape {quoted(shape)} before it, not "
                     f"have the shape {quoted(weight.shape)}{hint}")


def _axes(node: Node, stack: np.ndarray, axes: int) -> np.ndarray:
    """``stack`` with ``axes`` axes behind its rows: channels first."""
    shape, weight = stack.shape[1:], node.array("weight").shape
    if len(weight) != axes + 1 or 0 in weight:
        raise ValueError(f"Node {node.name} weight must have {axes + 1} axes, not the shape "
                         f"{quoted(weight)}")
    while len(shape) > axes and shape[0] == 1:
        shape = shape[1:]
    channels = weight[1] * node.whole("groups", 1)[0]
    inner = (node.whole("input_shape", axes - 1) if "input_shape" in node.values else ())
    if len(shape) == axes - 1 and channels == 1:
        shape = (1, *shape)
    elif (len(shape) != axes and len(inner) == axes - 1
          and math.prod(shape) == channels * math.prod(inner)):
        shape = (channels, *inner)
    if len(shape) != axes:
        raise ValueError(f"Node {node.name} of type {node.kind} must get {axes} axes, channels "
                         f"first, not the shape {quoted(stack.shape[1:])}")
    return stack.reshape(len(stack), *shape)


def _flatten(node: Node, stack: np.ndarray) -> np.ndarray:
    shape = stack.shape[1:]
    given = [node.whole(key, 1, least=-len(shape))[0] for key in ("start_dim", "end_dim")]
    first, last = (k + len(shape) if k < 0 else k for k in given)
    if not shape or not 0 <= first < len(shape) or not first <= last < len(shape):
        raise ValueError(f"Node {node.name} start_dim and end_dim must be axes of the shape "
                         f"{quoted(shape)}, not {given[0]} and {given[1]}")
    if node.spyx and len(shape) == 3:
        stack, shape = np.moveaxis(stack, 1, -1), (*shape[1:], shape[0])
    return stack.reshape(len(stack), *shape[:first], math.prod(shape[first:last + 1]),
                         *shape[last + 1:])
