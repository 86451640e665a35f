# SPDX-License-Identifier: Apache-2.0
"""The integer model, and the folder that holds it."""
