# SPDX-License-Identifier: Apache-2.0
"""The decoder for programs that use asyncio."""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from spikewright.host.decoder import Decoder
from spikewright.model.saved import Model

__all__ = ["AsyncDecoder"]


class AsyncDecoder:
    """A `Decoder` whose steps do not block the event loop; an asynchronous context manager.

    Open one with `AsyncDecoder.open`. Its steps run in a thread of its own, one after another in
    the order in which they were begun, so that several may be begun before the first has ended.
    """

    def __init__(self, decoder: Decoder, thread: ThreadPoolExecutor):
        self._decoder, self._thread = decoder, thread

    @classmethod
    async def open(cls, where: str, model: Model, **options) -> "AsyncDecoder":
        """Open the decoder that ``where`` names. The arguments are those of `Decoder.open`."""
        thread = ThreadPoolExecutor(1, "spikewright decoder")
        try:
            decoder = await asyncio.get_running_loop().run_in_executor(
                thread, lambda: Decoder.open(where, model, **options))
        except BaseException:
            thread.shutdown(wait=False)
            raise
        return cls(decoder, thread)

    async def step(self, channels: Iterable[int], *, reset: bool = False) -> np.ndarray:
        """Decode one step, as `Decoder.step`; ``reset`` clears the state before."""
        given = list(channels)

        def run() -> np.ndarray:
            if reset:
                self._decoder.reset()
            return self._decoder.step(given)
        return await asyncio.get_running_loop().run_in_executor(self._thread, run)

    async def close(self) -> None:
        """Close the decoder, after the steps that were begun."""
        await asyncio.get_running_loop().run_in_executor(self._thread, self._decoder.close)
        self._thread.shutdown(wait=False)

    async def __aenter__(self) -> "AsyncDecoder":
        return self

    async def __aexit__(self, *_) -> None:
        await self.close()
