# SPDX-License-Identifier: Apache-2.0
"""The accuracy ladder: what each step from double precision down to the gates costs."""
