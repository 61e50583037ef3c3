"""A generated client, compiled under `strict`, calls a live gateway from Node.

`shop.py` is the gateway, `program.ts` makes the calls and prints what the client returned.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from bff_core.cli.client import document_of, options_of
from bff_core.cli.gateways import LoadedGateway
from bff_core.codegen.typescript import generate
from tests.cli.served import served
from tests.codegen.typescript.compilers import FOLDER, IN_NODE, compile_files
from tests.codegen.typescript.shop import shop

pytestmark = pytest.mark.needs("node", "npm")


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Generate the client, compile it with the program, run it: what each scenario returned."""
    app = shop()
    loaded = LoadedGateway("shop", app, None, {})
    folder: Path = tmp_path_factory.mktemp("client")
    options = options_of("bff client ts --gateway shop", loaded)
    for name, text in generate(document_of(loaded), options).items():
        (folder / name).write_text(text, encoding="utf-8")
    shutil.copy(FOLDER / "program.ts", folder)
    (folder / "package.json").write_text('{"type": "module"}')
    assert compile_files("7", folder, *IN_NODE, "program.ts") == []
    with served(app) as url:
        done = subprocess.run(
            ("node", "compiled/program.js", url),
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    results: dict[str, Any] = json.loads(done.stdout)
    return results


def test_results_have_the_states_of_their_parts(found: dict[str, Any]) -> None:
    """A screen without its reviews is a success that says so, with the reason."""
    assert found["parts"] == {
        "status": 200,
        "title": "Zelt „Süd“",
        "kind": "gear",
        "price": "129.90",
        "stars": None,
        "isPartial": True,
        "parts": {
            "product": {"status": "ok"},
            "stars": {"status": "missing", "reason": "bad_status"},
        },
        "reason": "bad_status",
    }


def test_a_problem_has_its_code_and_the_limits(found: dict[str, Any]) -> None:
    """An error of the gateway is a result with problem details, not an exception."""
    problem = found["problem"]

    assert (problem["isMissing"], problem["status"], problem["hasId"]) == (True, 404, True)
    assert [one.keys() for one in problem["limits"]] == [
        {"policy", "remaining", "resetSeconds", "quota", "windowSeconds"}
    ]
    assert (problem["limits"][0]["policy"], problem["limits"][0]["quota"]) == ("address", 600)


def test_faults_of_inputs_have_pointers(found: dict[str, Any]) -> None:
    """A form can show each message at its field."""
    assert found["faults"] == ["invalid_input", ["/quantity"]]


def test_an_unchanged_answer_is_taken_from_memory(found: dict[str, Any]) -> None:
    """The second request is conditional; its 304 yields the stored value, with its parts."""
    value, parts = {"name": "Viewer anna"}, {"name": {"status": "ok"}}

    assert found["etag"] == [False, True, 200, value, parts, False]


def test_viewers_never_share_stored_answers(found: dict[str, Any]) -> None:
    """Another token empties the store: its first request is not even conditional."""
    assert found["viewers"] == [{"name": "Viewer anna"}, {"name": "Viewer ben"}, False, None]


def test_an_expired_token_is_renewed_once(found: dict[str, Any]) -> None:
    """The function of the token gets the refused one, and the request is repeated."""
    assert found["refresh"] == [{"name": "Viewer carla"}, ["expired"], 2]


def test_anonymous_viewers_are_refused(found: dict[str, Any]) -> None:
    """Without a token there is nothing to renew."""
    assert found["anonymous"] == "not_authenticated"


def test_a_refused_read_is_repeated_after_the_time_that_it_names(found: dict[str, Any]) -> None:
    """A 503 with `Retry-After: 2` is repeated after two seconds."""
    assert found["retry"] == ["quiet", 2, [2]]


def test_repeated_writes_have_one_key(found: dict[str, Any]) -> None:
    """A write runs once, however often it is sent; a key can't be used for another one."""
    assert found["keys"] == {
        "attempts": 2,
        "keys": 1,
        "first": [201, 1, False],
        "again": [1, True],
        "other": "idempotency_key_reused",
        "voucher": "SPRING",
    }


def test_an_answer_without_content_has_no_data(found: dict[str, Any]) -> None:
    """204: success, and nothing to read."""
    assert found["nothing"] == [True, 204, True]


def test_streams_are_read_line_by_line(found: dict[str, Any]) -> None:
    """`for await` yields typed lines."""
    assert found["lines"] == [f"sku-ü-{number}" for number in range(4)]


def test_a_stream_that_breaks_off_is_no_complete_one(found: dict[str, Any]) -> None:
    """The lines before the failure arrive, then an error is thrown."""
    assert found["broken"] == [["first"], "network"]


def test_a_signal_ends_a_stream(found: dict[str, Any]) -> None:
    """The error says that the caller aborted it, and why."""
    assert found["endless"] == ["aborted", "first"]


def test_leaving_the_loop_closes_a_stream(found: dict[str, Any]) -> None:
    """Node would not end if the connection were open."""
    assert found["left"] == 1


def test_progressive_views_show_parts_early(found: dict[str, Any]) -> None:
    """Pieces of the answer arrive with their parts, at last the whole answer."""
    title = {"title": "Zelt „Süd“"}

    assert found["progressive"] == [
        ["product", "ok", title, title],
        ["stars", "missing", None, title],
        ["answer", "Zelt „Süd“", True],
    ]
    assert found["refusedProgressive"] == ["not_found", 404]


def test_failures_without_a_problem_are_distinguished(found: dict[str, Any]) -> None:
    """The page of a proxy, no connection, a timeout and an abort are different kinds."""
    assert found["page"] == [502, "<html>Bad gateway</html>"]
    assert found["network"] == ["network", 3]
    assert found["timeout"] == ["timeout", 1]
    assert found["aborted"] == "left the page"


def test_arguments_are_encoded(found: dict[str, Any]) -> None:
    """Slashes stay where the route takes them, lists are repeated, dots can't leave the path."""
    assert found["addresses"] == {
        "file": ["a b/ü?/c", "x&y", "z"],
        "url": "/v1/files/a%20b/%C3%BC%3F/c?tag=x%26y&tag=z",
        "name": "a?b#ü",
        "refused": "TypeError: GET /v1/tenants/{tenant}/names: tenant can't be ..",
        "version": "5.2.0",
    }


def test_files_are_uploaded(found: dict[str, Any]) -> None:
    """A `Blob` with a name becomes a file of a form."""
    assert found["upload"] == {"name": "tent.png", "size": 5, "caption": "Süd", "tags": ["a", "b"]}
