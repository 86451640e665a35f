# SPDX-License-Identifier: Apache-2.0
"""The accuracy ladder: the cost of each step from double precision down to the gates."""
