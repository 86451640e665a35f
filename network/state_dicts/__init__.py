# SPDX-License-Identifier: Apache-2.0
"""Readers of state dicts: one file for each kind."""
