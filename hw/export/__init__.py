# SPDX-License-Identifier: Apache-2.0
"""The core for designs of others: Verilog, ports, an example."""
