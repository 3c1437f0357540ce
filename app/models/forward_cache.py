"""Passes over sentences that were asked for already, kept while they fit into so many bytes."""

from threading import Lock

from cachetools import LRUCache

from app.attention.intervention import Intervention
from app.attention.transformer import ForwardPass

CacheKey = tuple[str, tuple[int, ...], Intervention]
"""The model's name, the text as the tokens that it reads, and what was changed: all that a pass
follows from."""


class ForwardCache:
    """The least recently asked for is dropped first; a pass larger than all of it is not kept.

    Safe to be used by several threads.
    """

    def __init__(self, n_bytes: int) -> None:
        self._entries: LRUCache[CacheKey, ForwardPass] = LRUCache(
            n_bytes, getsizeof=lambda each: each.nbytes
        )
        self._lock = Lock()

    @property
    def n_bytes(self) -> int:
        """What the kept passes take."""
        return int(self._entries.currsize)

    def get(self, key: CacheKey, last_layer: int | None) -> ForwardPass | None:
        """A kept pass that went as far as `last_layer`, or to the end if that is None."""
        with self._lock:
            cached = self._entries.get(key)
        if cached is None:
            return None
        is_deep_enough = cached.hidden is not None or (
            last_layer is not None and last_layer < len(cached.weights)
        )
        return cached if is_deep_enough else None

    def put(self, key: CacheKey, forward_pass: ForwardPass) -> None:
        """Keeps a pass, whose numbers cannot be written over any more, unless one is kept already
        that went further.
        """
        for array in forward_pass.arrays:
            array.flags.writeable = False
        with self._lock:
            cached = self._entries.get(key)
            is_deeper = cached is None or len(forward_pass.arrays) > len(cached.arrays)
            if is_deeper and forward_pass.nbytes <= self._entries.maxsize:
                self._entries[key] = forward_pass


NO_CACHE = ForwardCache(0)
