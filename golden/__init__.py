# SPDX-License-Identifier: Apache-2.0
"""The integer model in NumPy: values and cycles that the hardware must answer."""
