# SPDX-License-Identifier: Apache-2.0
"""From a top level to a bitstream and its figures."""
