"""Passes over sentences that were asked for already, kept while they fit into so many bytes."""

from threading import Lock

from cachetools import LRUCache

from app.attention.intervention import Intervention
from app.attention.transformer import ForwardPass

Key = tuple[str, tuple[int, ...], Intervention]
"""The model's name, the text as the tokens that it reads, and what was changed: all that a pass
follows from."""


class Passes:
    """The least recently asked for is dropped first; a pass larger than all of it is not kept.

    Safe to be used by several threads.
    """

    def __init__(self, n_bytes: int) -> None:
        self._kept: LRUCache[Key, ForwardPass] = LRUCache(
            n_bytes, getsizeof=lambda each: each.nbytes
        )
        self._lock = Lock()

    @property
    def n_bytes(self) -> int:
        """What the kept passes take."""
        return int(self._kept.currsize)

    def get(self, key: Key, last_layer: int | None) -> ForwardPass | None:
        """A kept pass that went as far as `last_layer`, or to the end if that is None."""
        with self._lock:
            known = self._kept.get(key)
        if known is None:
            return None
        reaches = known.hidden is not None or (
            last_layer is not None and last_layer < len(known.weights)
        )
        return known if reaches else None

    def put(self, key: Key, new: ForwardPass) -> None:
        """Keeps a pass, whose numbers cannot be written over any more, unless one is kept already
        that went further.
        """
        for array in new.arrays:
            array.flags.writeable = False
        with self._lock:
            known = self._kept.get(key)
            is_deeper = known is None or len(new.arrays) > len(known.arrays)
            if is_deeper and new.nbytes <= self._kept.maxsize:
                self._kept[key] = new


NOTHING_KEPT = Passes(0)
