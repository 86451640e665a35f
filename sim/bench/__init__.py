# SPDX-License-Identifier: Apache-2.0
"""Testbench of the core's Verilog, run inside a simulator by cocotb."""
