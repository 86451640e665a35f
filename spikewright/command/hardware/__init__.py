# SPDX-License-Identifier: Apache-2.0
"""Commands that make hardware of a model: bitstreams, ROMs, Verilog."""
