# SPDX-License-Identifier: Apache-2.0
"""Reports: their figures, tables, pictures and pages."""
