# SPDX-License-Identifier: Apache-2.0
"""What a report holds, and how it looks."""
