# SPDX-License-Identifier: Apache-2.0
"""Checkpoint to integer model: read, retime, calibrate, quantize, prune, save."""
