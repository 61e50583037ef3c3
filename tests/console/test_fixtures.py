"""The answers that pages are developed with are those of the console's API."""

import json
from pathlib import Path

import msgspec
import pytest

from bff_core.console import model
from tests.console.npm import SOURCES

KINDS = {
    "installation": model.Installation,
    "overview": model.Overview,
    "requests": model.RequestList,
    "requests.*": model.RequestDetail,
    "requests.*.replay.POST": model.Replayed,
    "logs": model.LogPage,
    "screens": list[model.ScreenName],
    "screens.*": model.ScreenDetail,
    "screens.*.matrix.POST": model.ScreenDetail,
    "screens.*.break.POST": model.ScreenDetail,
    "upstreams": model.UpstreamList,
    "upstreams.*": model.UpstreamDetail,
    "upstreams.*.actions.POST": model.ActionResult,
    "faults": model.FaultsPage,
    "faults.*": model.FaultCard,
    "faults.*.PUT": model.FaultCard,
    "faults.*.DELETE": model.FaultCard,
    "processes.*.start.POST": model.ProcessInfo,
    "processes.*.stop.POST": model.ProcessInfo,
    "sessions": model.SessionsPage,
    "sagas.*.*.resume.POST": model.ActionResult,
    "gateways.*.send.POST": model.Sent,
    "gateways.*.proxy": list[model.ProxyRouteInfo],
}
"""The Struct of a file; a star stands for an identifier."""

WITHOUT_MODEL = ("openapi", "schema")
"""Documents of gateways, which have formats of their own."""

FIXTURES = sorted((SOURCES / "fixtures").glob("*.json"))


def kind_of(path: Path) -> object:
    """Return the type of a fixture by its name."""
    pieces = path.stem.split(".")
    for pattern, kind in KINDS.items():
        wanted = pattern.split(".")
        if len(wanted) == len(pieces) and all(
            want in {"*", piece} for want, piece in zip(wanted, pieces, strict=True)
        ):
            return kind
    raise AssertionError(f"{path.name} is no answer of the API: name it like a path of it")


@pytest.mark.parametrize(
    "path",
    [path for path in FIXTURES if not path.stem.endswith(WITHOUT_MODEL)],
    ids=lambda path: path.stem,
)
def test_a_fixture_is_an_answer_of_the_api(path: Path):
    """It decodes as the Struct of its path, and has no field that the Struct lacks."""
    data = json.loads(path.read_bytes())

    answer = msgspec.convert(data, kind_of(path), strict=True)
    assert fields_lost(data, msgspec.to_builtins(answer)) == []


def fields_lost(before: object, after: object, where: str = "") -> list[str]:
    """Return where `before` has members that `after` has not."""
    if isinstance(before, dict) and isinstance(after, dict):
        missing = [f"{where}.{name}" for name in before if name not in after]
        shared = [name for name in before if name in after]
        return missing + [
            lost for name in shared for lost in fields_lost(before[name], after[name], name)
        ]
    if isinstance(before, list) and isinstance(after, list):
        pairs = zip(before, after, strict=True)
        return [lost for one, other in pairs for lost in fields_lost(one, other, where)]
    return []
