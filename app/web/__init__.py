"""The face: pages, API, errors, and the guard around them."""
