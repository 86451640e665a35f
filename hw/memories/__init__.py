# SPDX-License-Identifier: Apache-2.0
"""Blocks that remember: currents, spikes and weights."""
