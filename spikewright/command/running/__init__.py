# SPDX-License-Identifier: Apache-2.0
"""Commands that run a model: decode, check, simulate."""
