# SPDX-License-Identifier: Apache-2.0
"""The host: sends spikes to a decoder, on a board or the virtual one, and reads its outputs."""
