# SPDX-License-Identifier: Apache-2.0
"""Spikewright: a trained spiking decoder becomes an FPGA, bit for bit and cycle for cycle."""
