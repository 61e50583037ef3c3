"""Forms and files: views take them as FastAPI does, and errors are problem details."""

import subprocess
import sys
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, File, Form, UploadFile
from pydantic import BaseModel

from bff_core import ANYONE, Settings, Views, gateway
from bff_core.events import Events

LINE = "\r\n"
MULTIPART = "multipart/form-data; boundary=x"
MAX_BODY = 20_000
WITHOUT_READER = """
import sys
sys.modules["python_multipart"] = sys.modules["multipart"] = None
from fastapi import UploadFile
from bff_core import ConfigurationError, Views
views = Views()
async def add_picture(picture: UploadFile) -> int:
    return 0
try:
    views.post("/pictures")(add_picture)
except ConfigurationError as error:
    print(error)
"""


class Profile(BaseModel):
    """A model of a form."""

    name: str
    weight: float = 0.0


def part(name: str) -> bytes:
    """Return a form of one file."""
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="a"'
    return LINE.join(["--x", disposition, "", "content", "--x--", ""]).encode()


def built():
    """Make a gateway with views, and a route of FastAPI, that take forms."""
    views, router = Views(access=ANYONE), APIRouter()

    @views.post("/pictures")
    @router.post("/plain/pictures")
    async def add_picture(
        picture: UploadFile, caption: Annotated[str, Form()] = ""
    ) -> dict[str, object]:
        content = await picture.read()
        return {"name": picture.filename, "size": len(content), "caption": caption}

    @views.post("/album")
    async def add_album(pictures: list[UploadFile]) -> list[str | None]:
        return [one.filename for one in pictures]

    @views.post("/bytes")
    async def add_bytes(picture: Annotated[bytes, File()]) -> int:
        return len(picture)

    @views.post("/profile")
    async def put_profile(profile: Annotated[Profile, Form()]) -> Profile:
        return profile

    @views.post("/few", form_limits={"max_fields": 2, "max_files": 1, "max_part_size": 1024})
    async def add_few(tags: Annotated[list[str], Form()]) -> int:
        return len(tags)

    app = gateway(
        "shop",
        faces=[views],
        settings=Settings(
            env="production", gc_freeze=False, allowed_hosts=["testserver"], max_body=MAX_BODY
        ),
        events=Events(),
    )
    app.include_router(router)
    return app


@asynccontextmanager
async def opened():
    """Run a gateway."""
    app = built()
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://testserver") as client,
    ):
        yield client


@pytest.mark.parametrize("path", ["/pictures", "/plain/pictures"])
async def test_a_file_and_a_field_arrive(path):
    """A view gets the name and the bytes of a file, and text fields."""
    async with opened() as client:
        answer = await client.post(
            path, files={"picture": ("é.png", b"\x00\xff1")}, data={"caption": "ünö"}
        )

    assert answer.status_code == 200
    assert answer.json() == {"name": "é.png", "size": 3, "caption": "ünö"}


async def test_all_declarations_of_forms_work():
    """Files, bytes and models of forms, in every way in which FastAPI declares them."""
    files = [("pictures", ("a", b"1")), ("pictures", ("b", b"2"))]
    async with opened() as client:
        album = await client.post("/album", files=files)
        content = await client.post("/bytes", files={"picture": ("a", b"123")})
        profile = await client.post("/profile", data={"name": "Ada", "weight": "61.5"})

    assert (album.json(), content.json()) == (["a", "b"], 3)
    assert profile.json() == {"name": "Ada", "weight": 61.5}


async def test_a_repeated_upload_is_executed_once():
    """With an `Idempotency-Key` and the same bytes."""
    upload = httpx.Request("POST", "http://x", files={"picture": ("a", b"1")})
    headers = {
        "content-type": upload.headers["content-type"],
        "idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324",
    }
    async with opened() as client:
        answers = [
            await client.post("/pictures", content=upload.read(), headers=headers) for _ in range(2)
        ]

    assert [one.status_code for one in answers] == [200, 200]
    assert answers[1].headers["idempotency-replayed"] == "true"


@pytest.mark.parametrize(
    ("path", "data", "pointer", "kind"),
    [
        ("/pictures", {"caption": "x"}, "/picture", "missing"),
        ("/pictures", {"picture": "text"}, "/picture", "value_error"),
        ("/profile", {"name": "Ada", "weight": "heavy"}, "/weight", "float_parsing"),
        ("/profile", {"name": "Ada", "weight": "NaN"}, "/weight", "finite_number"),
    ],
)
async def test_error_in_a_field_has_a_pointer(path, data, pointer, kind):
    """As in JSON, a field of a form is in the body."""
    async with opened() as client:
        answer = await client.post(path, data=data)

    (error,) = answer.json()["errors"]
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")
    assert (error["in"], error["pointer"], error["type"]) == ("body", pointer, kind)


@pytest.mark.parametrize(
    ("body", "content_type", "detail"),
    [
        (b"garbage--x--", MULTIPART, "Invalid multipart data."),
        (part("picture")[:-5], MULTIPART, "The form ends before its closing boundary."),
        (part("picture")[:30], MULTIPART, "The form ends before its closing boundary."),
        (b"--x", "multipart/form-data", "Missing boundary in multipart."),
        (
            LINE.join(["--x", "Content-Disposition: form-data", "", "a", "--x--", ""]).encode(),
            MULTIPART,
            'The Content-Disposition header field "name" must be provided.',
        ),
        (LINE.join(["--x", "Bad Header", "", "a", "--x--", ""]).encode(), MULTIPART, "Invalid"),
    ],
)
async def test_a_malformed_form_is_a_problem(body, content_type, detail):
    """It is a 400 that says what is wrong."""
    async with opened() as client:
        answer = await client.post(
            "/pictures", content=body, headers={"content-type": content_type}
        )

    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    assert answer.json()["detail"].startswith(detail)


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_a_form_may_arrive_in_any_chunks(size):
    """The closing boundary is found wherever chunks end; an epilogue is ignored."""
    body = part("picture") + b"epilogue"

    async def pieces():
        for start in range(0, len(body), size):
            yield body[start : start + size]

    async with opened() as client:
        answer = await client.post(
            "/pictures", content=pieces(), headers={"content-type": MULTIPART}
        )

    assert (answer.status_code, answer.json()["size"]) == (200, 7)


@pytest.mark.parametrize(
    "form",
    [
        {"data": {"tags": ["a", "b", "c"]}},
        {"data": {"tags": ["a" * 1025]}},
        {"files": [("tags", ("a", b"1")), ("tags", ("b", b"2"))]},
        {"files": [("tags", (None, "a" * 1025))]},
    ],
    ids=["fields", "field", "files", "part"],
)
async def test_a_view_may_take_fewer_or_smaller_parts(form):
    """FastAPI's `form_limits` limit the number of fields and files, and the size of a field."""
    async with opened() as client:
        answer = await client.post("/few", **form)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


async def test_a_form_of_very_many_fields_is_refused():
    """The limit is 1,000 unless the view sets another."""
    many = {"content-type": "application/x-www-form-urlencoded"}
    async with opened() as client:
        answer = await client.post("/profile", content="&".join(["a=1"] * 1001), headers=many)

    assert answer.status_code == 400
    assert answer.json()["detail"] == "Too many fields. Maximum number of fields is 1000."


async def test_an_upload_has_the_limit_of_bodies():
    """`BFF_MAX_BODY` limits the whole form."""
    async with opened() as client:
        answer = await client.post("/pictures", files={"picture": ("a", b"1" * MAX_BODY)})

    assert (answer.status_code, answer.json()["code"]) == (413, "content_too_large")


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json"},
        {"content-type": "text/plain"},
        {"content-type": MULTIPART, "content-encoding": "gzip"},
        {"content-type": MULTIPART + "; charset=raw_unicode_escape"},
        {"content-type": "application/x-www-form-urlencoded; charset=utf-16"},
    ],
)
async def test_a_form_in_another_charset_is_415(headers):
    """A charset of the client's choice could yield text that can't be encoded again."""
    async with opened() as client:
        answer = await client.post("/pictures", content=b"{}", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.slow
def test_a_view_with_a_file_says_what_to_install():
    """The declaration raises, not the first upload."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_READER], check=False, capture_output=True, text=True
    )

    assert done.stdout == (
        "POST /pictures (__main__.add_picture): a form or a file needs "
        "an extra that is not installed: "
        f"pip install 'wheels/bff_core-{version('bff-core')}-py3-none-any.whl[uploads]'\n"
    )
