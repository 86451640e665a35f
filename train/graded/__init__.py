# SPDX-License-Identifier: Apache-2.0
"""Training of graded networks on a recording. Needs torch."""
