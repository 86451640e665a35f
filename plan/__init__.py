# SPDX-License-Identifier: Apache-2.0
"""A model on a core: configuration, layout, program, table images and cycles, before synthesis."""
