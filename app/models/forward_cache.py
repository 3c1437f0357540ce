"""A cache of forward passes with a limit in bytes."""

from threading import Lock

from cachetools import LRUCache

from app.attention.forward_pass import ForwardPass
from app.attention.intervention import Intervention

ForwardKey = tuple[str, tuple[int, ...], Intervention]
"""Model id, token ids and intervention."""


class ForwardCache:
    """A thread-safe LRU cache of forward passes that holds at most `n_bytes` bytes.

    A pass that is larger is not cached.
    """

    def __init__(self, n_bytes: int) -> None:
        self._entries: LRUCache[ForwardKey, ForwardPass] = LRUCache(
            n_bytes, getsizeof=lambda each: each.nbytes
        )
        self._lock = Lock()

    @property
    def n_bytes(self) -> int:
        """Size of the cached passes in bytes."""
        return int(self._entries.currsize)

    def get(self, key: ForwardKey) -> ForwardPass | None:
        """Return the cached pass, which may stop at any layer, or None."""
        with self._lock:
            return self._entries.get(key)

    def put(self, key: ForwardKey, forward_pass: ForwardPass) -> None:
        """Add a pass and make its arrays read-only. A deeper pass already cached is kept."""
        for array in forward_pass.arrays:
            array.flags.writeable = False
        with self._lock:
            cached = self._entries.get(key)
            is_deeper = cached is None or _depth(forward_pass) > _depth(cached)
            if is_deeper and forward_pass.nbytes <= self._entries.maxsize:
                self._entries[key] = forward_pass


def _depth(forward_pass: ForwardPass) -> tuple[int, bool]:
    return len(forward_pass.weights), forward_pass.hidden is not None


NO_FORWARD_CACHE = ForwardCache(0)
