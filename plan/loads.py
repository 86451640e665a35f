# SPDX-License-Identifier: Apache-2.0
"""What a host loads into a running device: each memory that has constants of the model."""

from dataclasses import dataclass, field

__all__ = ["LoadMap", "Region"]


@dataclass(frozen=True, kw_only=True)
class Region:
    """One memory among the words that a host loads.

    Parameters
    ----------
    name : str
        ``neurons``, or a part of the weight tables and its bits, such as ``dense_8``.
    first : int
        Number of its first word, a multiple of ``1 << room``.
    image : list of int
        Its words.
    bits : int
        Bits of a word.
    """

    name: str
    first: int
    image: list[int] = field(repr=False)
    bits: int

    @property
    def room(self) -> int:
        """Bits of the number of a word within the memory."""
        return _room(self.image)


@dataclass(frozen=True, kw_only=True)
class LoadMap:
    """The words that a host loads: all memories, one after the other.

    A memory begins at a multiple of its size, rounded up to a power of two. So the lowest bits of
    the number of a word are its address in the memory.

    Parameters
    ----------
    regions : tuple of Region
        The largest first.
    """

    regions: tuple[Region, ...]

    @classmethod
    def of(cls, memories: dict[str, tuple[list[int], int]]) -> "LoadMap":
        """The map of ``memories``, the image and the bits of each by name."""
        end, regions = 0, []
        for name, (image, bits) in sorted(memories.items(), key=lambda item: -len(item[1][0])):
            size = 1 << _room(image)
            regions.append(Region(name=name, first=-(-end // size) * size, image=image, bits=bits))
            end = regions[-1].first + len(image)
        return cls(regions=tuple(regions))

    @property
    def words(self) -> int:
        """Number of all words, with the gaps between two memories."""
        last = self.regions[-1]
        return last.first + len(last.image)

    @property
    def word_bytes(self) -> int:
        """Bytes that carry a word, of any memory."""
        return max(-(-region.bits // 8) for region in self.regions)

    @property
    def image(self) -> list[int]:
        """All words. Those in a gap are 0."""
        words = [0] * self.words
        for region in self.regions:
            words[region.first:region.first + len(region.image)] = region.image
        return words

    def region(self, name: str) -> Region:
        """The region of a memory."""
        return next(region for region in self.regions if region.name == name)


def _room(image: list[int]) -> int:
    return (len(image) - 1).bit_length()
