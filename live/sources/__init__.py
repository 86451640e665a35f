# SPDX-License-Identifier: Apache-2.0
"""Sources of spikes: recordings, UDP, the Lab Streaming Layer."""
