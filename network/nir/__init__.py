# SPDX-License-Identifier: Apache-2.0
"""NIR, the Neuromorphic Intermediate Representation: graphs of other frameworks, read and written.

A file goes through `file`, `flatten`, `chains` and `neurons` in this order. `reader` calls them.
"""
