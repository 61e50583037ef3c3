"""The mock services in this process, as scripts of the test kit."""

from functools import cache

from fastapi import FastAPI

from bff_core import Call
from bff_core.testing import Step, asgi
from services_mock.shop import create_app
from tests.reference_project import SERVICES


@cache
def app_of(service: str) -> FastAPI:
    """Return a service; tests that change it undo what they did."""
    return create_app(service)


def answering(service: str) -> Step:
    """Return a step that answers as the service does, which is made at the first call."""

    async def step(call: Call):
        return await asgi(app_of(service))(call)

    return step


SCRIPTS = {name: answering(name) for name in SERVICES if name != "identity"}
