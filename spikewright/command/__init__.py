# SPDX-License-Identifier: Apache-2.0
"""The command `spikewright`: one file per subcommand."""
