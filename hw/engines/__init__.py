# SPDX-License-Identifier: Apache-2.0
"""Blocks that compute: the row look-up, the row adder and the neuron updates."""
