# SPDX-License-Identifier: Apache-2.0
"""The float network: its form, its readers, retiming, recordings, and a run in floating point."""
