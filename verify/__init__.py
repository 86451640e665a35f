# SPDX-License-Identifier: Apache-2.0
"""Evidence: the ladder from double precision to gates, and the gates themselves."""
