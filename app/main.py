"""The application as a server loads it: `uvicorn app.main:app`."""

import gc

from app.application import create_app

app = create_app()

# Move all objects created at start-up to the permanent generation: a full collection then skips
# about 88,000 objects, measured 70 to 89 ms -> 0 ms.
gc.collect()
gc.freeze()
