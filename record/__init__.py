# SPDX-License-Identifier: Apache-2.0
"""Recordings of other programs, brought into the form that Spikewright reads."""
