"""A small gateway for a console over real processes: `tests.console.till:app`."""

from bff_core import EdgeOptions, gateway

app = gateway("till", options=EdgeOptions(idempotency=None, allowed_hosts=["127.0.0.1"]))


@app.get("/pid")
async def pid() -> dict[str, str]:
    """Answer."""
    return {}
