"""Files made from a view: figures, numbers, and an archive that recomputes both."""
