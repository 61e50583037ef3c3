"""What a gateway's process offers the console, whatever is installed."""

import subprocess
import sys

PROGRAM = """
import asyncio, json, sys
sys.modules["strawberry"] = sys.modules["graphql"] = None
from bff_core import ANYONE, Views, gateway
from bff_core.console.process_commands import process_commands
from bff_core.settings.model import Settings

views = Views(access=ANYONE)

@views.get("/title")
async def title() -> str:
    return "Tent"

app = gateway("shop", faces=[views], settings=Settings(env="development", upstreams={}, log="off"))
info = json.loads(asyncio.run(process_commands(app)["process.info"](b"")))
print(info["name"], info["kinds"], repr(info["graphql"]))
"""


def test_a_gateway_without_the_extra_of_graphql():
    """It reports itself to the console; nothing imports GraphQL for it."""
    run = subprocess.run(
        (sys.executable, "-c", PROGRAM), capture_output=True, text=True, check=False
    )

    assert (run.stdout, run.stderr) == ("shop REST ''\n", "")
