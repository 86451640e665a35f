# SPDX-License-Identifier: Apache-2.0
"""Many configurations and seeds of one model, side by side."""
