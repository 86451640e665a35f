# SPDX-License-Identifier: Apache-2.0
"""Training: the published spiking decoder in torch, its recipe, and simulated reaches to learn on.

Importing this package, :mod:`train.constants`, :mod:`train.recording` or :mod:`train.reaches` needs
no torch; :mod:`train.model` and :mod:`train.fit` do.
"""
