# SPDX-License-Identifier: Apache-2.0
"""Training of integer models, and for a new day."""
