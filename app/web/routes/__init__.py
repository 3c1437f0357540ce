"""URL routes: each module exports its own."""
