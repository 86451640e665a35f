# SPDX-License-Identifier: Apache-2.0
"""The recipe of the published networks, value by value."""
