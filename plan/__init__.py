# SPDX-License-Identifier: Apache-2.0
"""How a model lies on a core, worked out once: choices, layout, program, tables, cycles."""
