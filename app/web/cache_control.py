"""Values of Cache-Control. See docs/decisions/caches.md."""

PUBLIC = "public, max-age=0, s-maxage=300"
"""For an answer that depends on its URL alone: browsers revalidate it on every use, shared caches
may serve it for five minutes.
"""

PRIVATE = "private, no-cache"
"""For an answer that names a learner: only the browser's own cache may store it."""

NO_CACHE = "no-cache"
"""For an error: the same URL may work after an upgrade."""

NO_STORE = "no-store"
"""For an answer that is true only now."""
