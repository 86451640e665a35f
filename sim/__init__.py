# SPDX-License-Identifier: Apache-2.0
"""Simulation: compiled RTL and cocotb testbenches."""
