# SPDX-License-Identifier: Apache-2.0
"""The live loop: spikes from a source, a decoder, velocities to sinks, and views of all this."""
