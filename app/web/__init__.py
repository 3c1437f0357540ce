"""HTTP: pages, API, error responses and middleware."""
