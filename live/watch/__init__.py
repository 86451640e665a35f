# SPDX-License-Identifier: Apache-2.0
"""Views of a live loop, each in a process of its own: a page, and the terminal."""
