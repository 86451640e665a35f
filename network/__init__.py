# SPDX-License-Identifier: Apache-2.0
"""The float network: its form, readers of checkpoints and recordings, retiming, and a float run."""
