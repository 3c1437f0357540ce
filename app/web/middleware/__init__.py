"""ASGI middleware, one class a module; `app.application` lists them in order."""
