# SPDX-License-Identifier: Apache-2.0
"""Code that all rooms use: errors, files, external tools, progress."""
