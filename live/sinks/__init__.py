# SPDX-License-Identifier: Apache-2.0
"""Sinks of velocities: UDP, the Lab Streaming Layer, a file."""
