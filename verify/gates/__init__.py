# SPDX-License-Identifier: Apache-2.0
"""The gates that a board gets, simulated and held against golden."""
