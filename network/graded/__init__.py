# SPDX-License-Identifier: Apache-2.0
"""Graded networks: a chain of stages, whose values are numbers and not only spikes."""
