# SPDX-License-Identifier: Apache-2.0
"""Board tops, bitstreams and reports."""
