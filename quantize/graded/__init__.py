# SPDX-License-Identifier: Apache-2.0
"""The quantizer of graded networks."""
