# SPDX-License-Identifier: Apache-2.0
"""Training of a spiking network in floating point."""
