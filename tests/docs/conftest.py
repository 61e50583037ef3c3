"""Makes the readers of pages importable, and gives them services and an empty folder."""

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from page_runner import Reader, free_ports, mock_services  # found by the line above


@pytest.fixture(scope="session")
def service_ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, int]]:
    """Run the two services that the pages call; maps the ports they name to the real ones."""
    catalog, reviews = free_ports(2)
    folder = tmp_path_factory.mktemp("services")
    with mock_services(folder, catalog=catalog, reviews=reviews):
        yield {9002: catalog, 9008: reviews}


@pytest.fixture
def reader(tmp_path: Path, service_ports: dict[int, int]) -> Iterator[Callable[[str], Reader]]:
    """Return a reader who serves the app of this name."""
    with ExitStack() as closing:

        def read(app: str) -> Reader:
            [port] = free_ports(1)
            one = Reader(tmp_path, app, {**service_ports, 8000: port})
            closing.callback(one.close)
            return one

        yield read
