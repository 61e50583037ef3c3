"""Calls a files application as a server would, and returns the answer."""

from dataclasses import dataclass
from urllib.parse import unquote

from starlette.exceptions import HTTPException

from bff_core.errors import BFFError

FILES = {
    "index.html": b"<!doctype html><title>Shop</title>",
    "robots.txt": b"User-agent: *\n",
    "assets/app.4f2a.js": b"export const shop = 1;\n" * 200,
    "assets/logo.png": b"\x89PNG\r\n\x1a\n" + bytes(2000),
    "docs/index.html": b"<title>Docs</title>",
    "empty.txt": b"",
    "img/a b.svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
}
BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
SCRIPT = {"accept": "*/*"}


@dataclass(frozen=True)
class Answered:
    """One answer; `pieces` are the bodies of its messages, in order."""

    status: int
    fields: list[tuple[str, str]]
    pieces: list[bytes]
    error: Exception | None = None

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    def __getitem__(self, name: str) -> str | None:
        found = [value for key, value in self.fields if key == name]
        assert len(found) < 2, (name, found)
        return found[0] if found else None


def scope_of(path: str, headers: dict[str, str] | None = None, method: str = "GET", **others):
    """Return the scope of a request to the route `/{path:path}`; `path` is percent-encoded."""
    return {
        "type": "http",
        "method": method,
        "path": "/" + unquote(path),
        "raw_path": b"/" + path.encode(),
        "query_string": b"",
        "path_params": {"path": unquote(path)},
        "headers": [
            (name.encode(), value.encode("latin-1")) for name, value in (headers or {}).items()
        ],
        **others,
    }


async def get(app, path: str, headers: dict[str, str] | None = None, method="GET", **others):
    """Request a path; an error before the answer becomes its status, as the edge makes it."""
    messages = []

    async def receive():
        raise AssertionError("files read no body")

    async def send(message):
        messages.append(message)

    try:
        await app(scope_of(path, headers, method, **others), receive, send)
    except HTTPException as error:
        return Answered(error.status_code, list((error.headers or {}).items()), [], error)
    except BFFError as error:
        return Answered(error.status, [], [], error)
    head, *bodies = messages
    assert not bodies[-1].get("more_body", False)
    fields = [(name.decode(), value.decode("latin-1")) for name, value in head["headers"]]
    return Answered(head["status"], fields, [one["body"] for one in bodies])


def build(folder, files=FILES):
    """Write a built front end into a folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


class ManualClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now
