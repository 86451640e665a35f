# SPDX-License-Identifier: Apache-2.0
"""Blocks that compute: the row adder and the two kinds of neuron update."""
