# SPDX-License-Identifier: Apache-2.0
"""Training: the published spiking decoder in torch, its recipe, and simulated reaches to learn on.

Only :mod:`train.fitting.model` and :mod:`train.fitting.fit` need torch.
"""
