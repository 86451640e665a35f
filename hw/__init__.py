# SPDX-License-Identifier: Apache-2.0
"""The accelerator generator, in Amaranth."""
