# SPDX-License-Identifier: Apache-2.0
"""The boards: their chips, pins and clocks, and their top level."""
