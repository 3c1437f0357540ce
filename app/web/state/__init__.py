"""View state: query parameters, forms and assignments."""
