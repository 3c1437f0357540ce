"""Headers of the kinds of requests that htmx and its history send."""

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
"""For a fragment of the page."""

TYPING = HTMX | {"HX-Source": "input#text"}
"""For a fragment, from the sentence field."""

RESTORE = {"HX-Request": "true", "HX-Request-Type": "full", "HX-History-Restore-Request": "true"}
"""For the whole page, when the history has lost it."""
