# SPDX-License-Identifier: Apache-2.0
"""What the entries of report.json hold."""
