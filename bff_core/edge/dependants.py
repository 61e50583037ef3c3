"""The dependencies of a route, those of its dependencies included, as FastAPI resolves them."""

from collections.abc import Iterator

from fastapi.dependencies.models import Dependant


def all_dependants(dependant: Dependant) -> Iterator[Dependant]:
    """Yield a dependant and everything that it depends on."""
    yield dependant
    for one in dependant.dependencies:
        yield from all_dependants(one)
