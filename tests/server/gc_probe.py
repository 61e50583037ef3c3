"""A gateway that answers how often the process around it collects garbage."""

import gc

from bff_core import gateway

app = gateway("probe")


@app.get("/threshold")
async def threshold() -> int:
    """Return how many allocations are between two collections."""
    return gc.get_threshold()[0]
