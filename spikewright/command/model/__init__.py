# SPDX-License-Identifier: Apache-2.0
"""Commands about networks and models: read, quantize, show, measure."""
