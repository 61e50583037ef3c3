"""Static files: what is served, what never is, and how clients may store it."""

import asyncio
import gzip
import os
import time
import tracemalloc
from email import message_from_bytes
from email.utils import formatdate
from pathlib import Path

import pytest

from bff_core.errors import ConfigurationError
from bff_core.proxy import Files, Headers
from bff_core.proxy.static.folder import CHECK_SECONDS
from bff_core.proxy.static.representation import FileTruncated
from bff_core.proxy.static.stored_file import MAX_BYTES_IN_MEMORY
from bff_core.proxy.static_files import files_app
from tests.proxy.file_requests import BROWSER, FILES, SCRIPT, ManualClock, build, get

YEAR = "public, max-age=31536000, immutable"
SECRET = b"secret"


@pytest.fixture
def folder(tmp_path):
    """Build a front end."""
    return build(tmp_path / "dist")


@pytest.fixture
def app(folder):
    """Return the application of `Files("dist", fallback="index.html", immutable="/assets/*")`."""
    return files_app(Files(folder, fallback="index.html", immutable="/assets/*"), None)


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("robots.txt", "text/plain; charset=utf-8"),
        ("assets/app.4f2a.js", "text/javascript; charset=utf-8"),
        ("assets/logo.png", "image/png"),
        ("empty.txt", "text/plain; charset=utf-8"),
        ("img/a%20b.svg", "image/svg+xml"),
    ],
)
async def test_a_file_is_sent_with_its_type(app, path, content_type):
    """Browsers run scripts and draw pictures by their type, and may not guess another."""
    answer = await get(app, path)

    assert (answer.status, answer["content-type"]) == (200, content_type)
    assert answer.body == FILES[path.replace("%20", " ")]
    assert answer["content-length"] == str(len(answer.body))
    assert answer["x-content-type-options"] == "nosniff"
    assert answer["accept-ranges"] == "bytes"


@pytest.mark.parametrize("path", ["index.html", "docs/", "store/tents/7", "assets/logo.png"])
async def test_head_has_the_headers_of_get(app, path):
    """A client learns size and tag without the content."""
    whole, head = await get(app, path, BROWSER), await get(app, path, BROWSER, "HEAD")

    assert (head.status, head.fields, head.body) == (200, whole.fields, b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get"])
async def test_other_methods_are_refused(app, method):
    """The answer names those that files have."""
    answer = await get(app, "index.html", method=method)

    assert (answer.status, answer["allow"]) == (405, "GET, HEAD")


FORGED = [
    *("..", "../secret.txt", "../", "assets/../../secret.txt", "assets/..", "./index.html"),
    *("..%2fsecret.txt", "%2e%2e/secret.txt", "%2e%2e%2fsecret.txt", ".%2e/secret.txt"),
    *("..%5csecret.txt", "..\\secret.txt", "assets%5c..%5c..%5csecret.txt", "assets\\app.4f2a.js"),
    *("%252e%252e/secret.txt", "..%252fsecret.txt", "%c0%ae%c0%ae/secret.txt"),
    *("/etc/passwd", "//etc/passwd", "%2fetc%2fpasswd", "file:///etc/passwd", "C:/secret.txt"),
    *("index.html%00", "index.html%00.png", "secret%00", "%00", "assets/%00/app.4f2a.js"),
    *("index.html.", "index.html%20", "index.html...", "assets./app.4f2a.js", "index.html::$DATA"),
    *("index.html:x", "con", "CON", "nul.txt", "aux.html", "com1", "LPT9.js", "con .txt", "prn"),
    *("com%c2%b9.txt", "conin$", "CONOUT$.txt"),
    *(".env", ".git/config", "assets/.hidden.js", ".", "docs/.", ".htaccess", "...", ".well-known"),
    *("assets//app.4f2a.js", "assets%2fapp.4f2a.js", "index.html/", "index.html/x"),
    *("link-out.txt", "link-out/secret.txt", "link-up/secret.txt", "loop", "pipe"),
    *("secret.txt", "assets", "assets/", "%0d%0aset-cookie:x", "a" * 300, "a/" * 600, "a" * 5000),
    *("index.html%0a", "%ff%fe", "index.html?x", "~root", "assets/app.4f2a.js%20"),
]


@pytest.mark.parametrize("path", FORGED)
async def test_no_path_leaves_the_folder(folder, path):
    """Nor does one name a hidden file, a device, a pipe or a file in another spelling."""
    (folder.parent / "secret.txt").write_bytes(SECRET)
    for name in (".env", ".git/config", "assets/.hidden.js", ".htaccess"):
        build(folder, {name: SECRET})
    (folder / "link-out.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "link-out").symlink_to(folder.parent)
    (folder / "link-up").symlink_to("..")
    (folder / "loop").symlink_to("loop")
    os.mkfifo(folder / "pipe")

    answer = await get(files_app(Files(folder), None), path, BROWSER)

    assert answer.status == 404
    assert answer.body == b""


@pytest.mark.parametrize(
    "path", ["..", "%2e%2e/x", "..%5cx", ".env", "docs/.hidden", "a%00b", ".well-known/x", "a%0ab"]
)
async def test_tricks_and_hidden_files_get_no_index(app, path):
    """A browser that opens them learns that there is nothing."""
    assert (await get(app, path, BROWSER)).status == 404


@pytest.mark.parametrize(
    "path", ["store", "store/", "store/tents/7", "search/AC%2FDC", "time/12:30", "say/so.", "con"]
)
async def test_pages_of_the_app_get_the_index(app, path):
    """The script of a single-page app reads the path itself."""
    answer = await get(app, path, BROWSER)

    assert (answer.status, answer.body) == (200, FILES["index.html"])
    assert answer["cache-control"] == "no-cache"
    assert answer["vary"] == "Accept-Encoding, Accept"


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("assets/gone.js", SCRIPT),
        ("assets/gone.js", BROWSER),
        ("store/tents/7", SCRIPT),
        ("store/tents/7", {}),
        ("store/tents/7", {"accept": "application/json"}),
        ("store/tents/7", {"accept": "text/html;q=0, */*"}),
        ("store/tents/7", {"accept": "text/*"}),
        ("gone.png", {"accept": "image/avif,image/webp,*/*;q=0.8"}),
    ],
)
async def test_only_who_opens_a_page_gets_the_index(app, path, headers):
    """A script that is gone must not be answered with HTML, which a browser would run and store."""
    assert (await get(app, path, headers)).status == 404


@pytest.mark.parametrize("headers", [BROWSER, SCRIPT, {}])
async def test_the_root_is_the_index_for_every_client(app, headers):
    """Also for curl and monitors, which name no media type."""
    answer = await get(app, "", headers)

    assert answer.body == FILES["index.html"]


async def test_a_route_without_a_path_value_is_the_fallback(app):
    """`Match("/app")` shows the index, whatever the client accepts."""
    answer = await get(app, "app", SCRIPT, path_params={})

    assert answer.body == FILES["index.html"]


async def test_without_a_fallback_there_are_only_files(folder):
    """A folder of downloads is no app."""
    (folder / "index.html").unlink()
    app = files_app(Files(folder), None)

    assert (await get(app, "", BROWSER)).status == 404
    assert (await get(app, "store", BROWSER)).status == 404
    assert (await get(app, "robots.txt")).status == 200


async def test_a_folder_is_its_index(app):
    """Without the slash at its end, links of the page would lead elsewhere."""
    page = await get(app, "docs/")
    redirect = await get(app, "docs", query_string=b"lang=de")

    assert page.body == FILES["docs/index.html"]
    assert (redirect.status, redirect["location"]) == (307, "./docs/?lang=de")


async def test_a_folder_without_an_index_is_a_page_of_the_app(app):
    """Its files are not listed."""
    assert (await get(app, "assets/", SCRIPT)).status == 404
    assert (await get(app, "img/", BROWSER)).body == FILES["index.html"]


async def test_well_known_files_are_served(folder):
    """Apps are linked to sites by such files (RFC 8615); other names with a dot are hidden."""
    build(folder, {".well-known/assetlinks.json": b"[]", "a/.well-known/x": SECRET})
    app = files_app(Files(folder), None)

    assert (await get(app, ".well-known/assetlinks.json")).body == b"[]"
    assert (await get(app, "a/.well-known/x")).status == 404


async def test_links_inside_the_folder_are_followed(folder):
    """Mounted configuration consists of links, through a hidden folder."""
    build(folder, {"..data_1/config.json": b"{}"})
    (folder / "..data").symlink_to("..data_1")
    (folder / "config.json").symlink_to("..data/config.json")

    answer = await get(files_app(Files(folder), None), "config.json")

    assert (answer.body, answer["content-type"]) == (b"{}", "application/json")


@pytest.mark.parametrize(
    ("immutable", "path", "reuse"),
    [
        ("/assets/*", "assets/app.4f2a.js", YEAR),
        (("/*.png", "/x/*"), "assets/logo.png", YEAR),
        ("/assets/app.????.js", "assets/app.4f2a.js", YEAR),
        ("/assets/app.????.js", "assets/logo.png", "no-cache"),
        ("/assets/*", "robots.txt", "no-cache"),
        ("/assets/*", "index.html", "no-cache"),
        ("/*", "index.html", "no-cache"),
        ("/*", "docs/", "no-cache"),
        ("/*", "robots.txt", YEAR),
        ("/ASSETS/*", "assets/app.4f2a.js", "no-cache"),
        ((), "assets/app.4f2a.js", "no-cache"),
    ],
)
async def test_files_that_never_change_are_stored_for_a_year(folder, immutable, path, reuse):
    """The index is checked each time, since it names the files of the current build."""
    app = files_app(Files(folder, fallback="index.html", immutable=immutable), None)

    assert (await get(app, path))["cache-control"] == reuse


async def test_files_for_signed_in_viewers_are_private(folder):
    """No shared cache gives them to others."""
    app = files_app(Files(folder, immutable="/assets/*"), None, is_shared=False)

    assert (await get(app, "assets/logo.png"))["cache-control"] == YEAR.replace("public", "private")
    assert (await get(app, "robots.txt"))["cache-control"] == "private, no-cache"


async def test_pages_load_from_their_own_origin_only(app):
    """The policy of data, which loads nothing, would stop the scripts of a page."""
    policy = (await get(app, "index.html"))["content-security-policy"]

    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy


async def test_a_route_changes_the_headers_of_its_files(folder):
    """Such as a policy for pages that call another origin; the headers of content stay."""
    policy = {"Content-Security-Policy": "default-src 'self' https://api.example"}
    changes = Headers(remove=("Last-Modified",), set=policy, append={"x-team": "web"})
    answer = await get(files_app(Files(folder), None, changes=changes), "index.html")

    assert answer["content-security-policy"] == "default-src 'self' https://api.example"
    assert answer["x-team"] == "web"
    assert answer["x-content-type-options"] == "nosniff"
    assert answer["content-type"] == "text/html; charset=utf-8"


def test_the_headers_of_files_have_no_placeholders(folder):
    """A file is the same for each request."""
    changes = Headers(set={"x-user": "{claims.sub}"})

    with pytest.raises(ConfigurationError, match="no placeholders"):
        files_app(Files(folder, fallback="index.html"), None, changes=changes)


def test_a_folder_that_is_not_there_is_an_error_at_start(tmp_path):
    """It says what to do."""
    with pytest.raises(ConfigurationError, match=r"no such folder: .*/dist\. Build the front end"):
        files_app(Files(tmp_path / "dist"), None)


@pytest.mark.parametrize("fallback", ["app.html", ".env", "docs", "link.html"])
def test_a_fallback_that_is_not_there_is_an_error_at_start(folder, fallback):
    """Nor may it be hidden, a folder or outside."""
    (folder.parent / "secret.txt").write_bytes(SECRET)
    (folder / ".env").write_bytes(SECRET)
    (folder / "link.html").symlink_to(folder.parent / "secret.txt")

    with pytest.raises(ConfigurationError, match=r"no file .* build the front end first"):
        files_app(Files(folder, fallback=fallback), None)


def test_a_file_in_place_of_the_folder_is_an_error_at_start(folder):
    """`Files("dist/index.html")` is a slip."""
    with pytest.raises(ConfigurationError, match="is no folder"):
        files_app(Files(folder / "index.html"), None)


def test_an_upstream_for_the_fallback_has_to_be_there(folder):
    """A name that no upstream has is found at start, too."""
    with pytest.raises(ConfigurationError, match="no upstream of the gateway"):
        files_app(Files(folder, fallback="index.html", fallback_from="cdn"), None)


async def test_a_known_file_is_not_sent_again(app):
    """The tag is that of the bytes; both forms of it, lists and a star are understood."""
    tag = (await get(app, "robots.txt"))["etag"]
    for held in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        answer = await get(app, "robots.txt", {"if-none-match": held})

        assert (answer.status, answer.body, answer["etag"]) == (304, b"", tag)
        assert answer["cache-control"] == "no-cache"
        assert answer["vary"] == "Accept-Encoding"
        assert answer["content-length"] is None
    assert (await get(app, "robots.txt", {"if-none-match": '"x"'})).status == 200


async def test_conditions_are_read_in_their_order(folder):
    """A tag goes before a date, If-Match before both (RFC 9110, section 13.2.2)."""
    os.utime(folder / "robots.txt", (1_000_000_000, 1_000_000_000))
    app = files_app(Files(folder), None)
    first = await get(app, "robots.txt")
    tag, modified = first["etag"], first["last-modified"]
    older, newer = formatdate(999_999_999, usegmt=True), formatdate(time.time(), usegmt=True)

    async def status(**conditions):
        fields = {name.replace("_", "-"): value for name, value in conditions.items()}
        return (await get(app, "robots.txt", fields)).status

    assert modified == "Sun, 09 Sep 2001 01:46:40 GMT"
    assert await status(if_modified_since=modified) == 304
    assert await status(if_modified_since=newer) == 304
    assert await status(if_modified_since=older) == 200
    assert await status(if_modified_since="yesterday") == 200
    assert await status(if_none_match='"x"', if_modified_since=newer) == 200
    assert await status(if_match=tag) == 200
    assert await status(if_match="*") == 200
    assert await status(if_match='"x"') == 412
    assert await status(if_match=f"W/{tag}") == 412
    assert await status(if_match=f'W/{tag}, "x", {tag}') == 200
    assert await status(if_unmodified_since=older) == 412
    assert await status(if_unmodified_since=newer) == 200
    assert await status(if_match=tag, if_unmodified_since=older) == 200
    assert await status(if_match='"x"', if_none_match=tag) == 412


async def test_the_date_of_a_file_is_never_in_the_future(folder):
    """A clock that was wrong when the file was written must not stop updates."""
    later = time.time() + 86_400
    os.utime(folder / "robots.txt", (later, later))

    shown = (await get(files_app(Files(folder), None), "robots.txt"))["last-modified"]

    assert shown in {formatdate(time.time() - n, usegmt=True) for n in (0, 1)}


async def test_one_range_is_sent_with_its_place(app):
    """A download continues where it stopped."""
    content = FILES["assets/logo.png"]
    answer = await get(app, "assets/logo.png", {"range": "bytes=5-9"})

    assert (answer.status, answer.body) == (206, content[5:10])
    assert answer["content-range"] == f"bytes 5-9/{len(content)}"
    assert answer["content-length"] == "5"
    assert answer["content-type"] == "image/png"


async def test_several_ranges_are_sent_as_parts(app):
    """Each part has its type and its place."""
    content = FILES["assets/logo.png"]
    answer = await get(app, "assets/logo.png", {"range": "bytes=0-3, -4"})
    kind = answer["content-type"]
    parts = message_from_bytes(f"content-type: {kind}\r\n".encode() + answer.body).get_payload()

    assert answer.status == 206
    assert int(answer["content-length"]) == len(answer.body)
    assert answer["content-range"] is None
    assert [part["content-range"] for part in parts] == [
        f"bytes 0-3/{len(content)}",
        f"bytes {len(content) - 4}-{len(content) - 1}/{len(content)}",
    ]
    assert [part["content-type"] for part in parts] == ["image/png"] * 2


async def test_a_range_after_the_end_names_the_size(app):
    """The client learns how long the file is."""
    answer = await get(app, "robots.txt", {"range": "bytes=500-"})

    assert (answer.status, answer["content-range"]) == (416, f"bytes */{len(FILES['robots.txt'])}")


@pytest.mark.parametrize("field", ["bytes=x", "lines=1-2", "bytes=9-5"])
async def test_a_range_that_makes_no_sense_is_ignored(app, field):
    """The whole file is sent."""
    answer = await get(app, "robots.txt", {"range": field})

    assert (answer.status, answer.body) == (200, FILES["robots.txt"])


async def test_a_range_holds_for_get_only(app):
    """HEAD describes the whole (RFC 9110, section 14.2)."""
    assert (await get(app, "robots.txt", {"range": "bytes=0-1"}, "HEAD")).status == 200


async def test_a_range_of_another_state_of_the_file_is_the_whole(folder):
    """Half of the old and half of the new file would be neither."""
    os.utime(folder / "robots.txt", (1_000_000_000, 1_000_000_000))
    app = files_app(Files(folder), None)
    first = await get(app, "robots.txt")
    tag, modified = first["etag"], first["last-modified"]
    expected = {tag: 206, modified: 206, f"W/{tag}": 200, '"x"': 200, "": 200}
    expected[formatdate(1_000_000_001, usegmt=True)] = 200

    for condition, status in expected.items():
        headers = {"range": "bytes=0-1", "if-range": condition}
        assert (await get(app, "robots.txt", headers)).status == status, condition


async def test_the_date_of_a_file_that_has_just_changed_holds_for_no_range(folder):
    """It may change again within the second (RFC 9110, section 8.8.2.2)."""
    os.utime(folder / "robots.txt")
    app = files_app(Files(folder), None)
    modified = (await get(app, "robots.txt"))["last-modified"]

    answer = await get(app, "robots.txt", {"range": "bytes=0-1", "if-range": modified})

    assert answer.status == 200


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, zstd", "zstd"),
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("br;q=0.5, gzip", "gzip"),
        ("br;q=0, *", "zstd"),
        ("*", "br"),
        ("*;q=0", None),
        ("identity", None),
        ("identity;q=1, br;q=0.5", None),
        ("identity;q=0.1, br;q=0.5", "br"),
        ("deflate", None),
        ("br;q=0", None),
        ("", None),
        (None, None),
    ],
)
async def test_a_compressed_sibling_is_sent_to_those_who_accept_it(folder, accepted, coding):
    """The build has compressed it better than a gateway would have time to."""
    for ending in (".br", ".zst", ".gz"):
        build(folder, {f"assets/app.4f2a.js{ending}": b"compressed" + ending.encode()})
    app = files_app(Files(folder), None)
    headers = {} if accepted is None else {"accept-encoding": accepted}
    answer = await get(app, "assets/app.4f2a.js", headers)
    endings = {"br": b".br", "zstd": b".zst", "gzip": b".gz"}

    plain = FILES["assets/app.4f2a.js"]
    assert answer["content-encoding"] == coding
    assert answer.body == (plain if coding is None else b"compressed" + endings[coding])
    assert answer["content-type"] == "text/javascript; charset=utf-8"
    assert answer["vary"] == "Accept-Encoding"


async def test_each_coding_has_a_tag_of_its_own(folder):
    """A range or a 304 must not mix the bytes of two codings."""
    build(folder, {"robots.txt.gz": gzip.compress(FILES["robots.txt"])})
    app = files_app(Files(folder), None)
    plain = await get(app, "robots.txt")
    coded = await get(app, "robots.txt", {"accept-encoding": "gzip"})
    assert plain["etag"] != coded["etag"]
    for whole, encoding in ((plain, None), (coded, "gzip")):
        headers = {"accept-encoding": "gzip", "range": "bytes=0-4", "if-range": whole["etag"]}
        part = await get(app, "robots.txt", headers)
        assert (part.status, part.body) == (206, whole.body[:5])
        assert part["content-encoding"] == encoding


async def test_a_sibling_that_is_older_than_its_file_is_not_sent(folder):
    """Somebody has changed the file and forgotten the copies."""
    build(folder, {"robots.txt.gz": b"old"})
    os.utime(folder / "robots.txt.gz", (1_000_000_000, 1_000_000_000))
    answer = await get(files_app(Files(folder), None), "robots.txt", {"accept-encoding": "gzip"})

    assert (answer.body, answer["content-encoding"]) == (FILES["robots.txt"], None)


async def test_a_sibling_outside_the_folder_is_not_sent(folder):
    """A link leads out by its ending, too."""
    (folder.parent / "secret.txt").write_bytes(SECRET)
    (folder / "robots.txt.br").symlink_to(folder.parent / "secret.txt")
    answer = await get(files_app(Files(folder), None), "robots.txt", {"accept-encoding": "br"})

    assert answer.body == FILES["robots.txt"]


async def test_a_range_is_one_of_the_plain_bytes(folder):
    """Clients that decode part of a compressed file fail."""
    app = files_app(Files(folder), None)
    headers = {"accept-encoding": "gzip", "range": "bytes=0-4"}
    answer = await get(app, "assets/app.4f2a.js", headers)

    assert (answer.status, answer.body) == (206, FILES["assets/app.4f2a.js"][:5])
    assert answer["content-encoding"] is None


async def test_a_compressed_name_is_a_download(folder):
    """Nothing is decoded on the way, so it must not be taken for the file itself."""
    build(folder, {"robots.txt.gz": b"compressed"})
    answer = await get(files_app(Files(folder), None), "robots.txt.gz", {"accept-encoding": "gzip"})

    assert (answer["content-type"], answer["content-encoding"]) == ("application/gzip", None)


async def test_text_without_siblings_is_compressed_once(app):
    """The second client gets the very bytes that the first one got."""
    first = await get(app, "assets/app.4f2a.js", {"accept-encoding": "gzip"})
    second = await get(app, "assets/app.4f2a.js", {"accept-encoding": "gzip"})

    assert gzip.decompress(first.body) == FILES["assets/app.4f2a.js"]
    assert first["content-encoding"] == "gzip"
    assert first.pieces[0] is second.pieces[0]


@pytest.mark.parametrize("path", ["assets/logo.png", "robots.txt", "empty.txt"])
async def test_pictures_and_small_files_are_not_compressed(app, path):
    """They would not become smaller."""
    answer = await get(app, path, {"accept-encoding": "gzip"})

    assert answer["content-encoding"] is None


async def test_a_hot_file_is_not_read_again(folder):
    """Neither the disk nor a thread is needed until the next check."""
    clock = ManualClock()
    app = files_app(Files(folder), None, clock=clock)
    first = await get(app, "robots.txt")
    clock.now += CHECK_SECONDS / 2
    (folder / "robots.txt").unlink()

    assert (await get(app, "robots.txt")).pieces[0] is first.pieces[0]


async def test_a_changed_file_is_noticed_within_a_second(folder):
    """Also one that is new, one that is gone, and a sibling that was added."""
    clock = ManualClock()
    app = files_app(Files(folder), None, clock=clock)
    before = [
        await get(app, path) for path in ("robots.txt", "new.txt", "empty.txt", "img/a%20b.svg")
    ]
    build(folder, {"robots.txt": b"changed", "new.txt": b"new", "img/a b.svg.br": b"smaller"})
    (folder / "empty.txt").unlink()
    clock.now += CHECK_SECONDS

    assert [one.status for one in before] == [200, 404, 200, 200]
    assert (await get(app, "robots.txt")).body == b"changed"
    assert (await get(app, "new.txt")).body == b"new"
    assert (await get(app, "empty.txt")).status == 404
    assert (await get(app, "img/a%20b.svg", {"accept-encoding": "br"})).body == b"smaller"


async def test_a_deployment_may_lead_a_link_elsewhere(folder):
    """The folder may be a link to the current build; its files are those of the new one."""
    (folder.parent / "current").symlink_to(folder)
    clock = ManualClock()
    app = files_app(Files(folder.parent / "current"), None, clock=clock)
    await get(app, "robots.txt")
    build(folder.parent / "next", {"robots.txt": b"next"})
    (folder.parent / "link").symlink_to("next")
    (folder.parent / "link").replace(folder.parent / "current")
    clock.now += CHECK_SECONDS

    assert (await get(app, "robots.txt")).body == b"next"
    assert (await get(app, "index.html")).status == 404


async def test_requests_at_once_read_a_file_once(folder):
    """A burst after a start does not fill all threads."""
    app = files_app(Files(folder), None)
    answers = await asyncio.gather(*[get(app, "robots.txt") for _ in range(50)])

    assert {id(one.pieces[0]) for one in answers} == {id(answers[0].pieces[0])}


@pytest.fixture
def large(folder):
    """Write files that do not fit into memory; return their content."""
    content = bytes(range(256)) * (MAX_BYTES_IN_MEMORY // 256 + 400)
    build(folder, {"video.mp4": content, "notes.txt": content})
    return content


async def test_a_large_file_is_sent_in_pieces(app, large):
    """Memory stays flat, whatever its size."""
    answer = await get(app, "video.mp4", {"accept-encoding": "gzip"})

    assert answer.body == large
    assert max(map(len, answer.pieces)) <= 256 * 1024
    assert answer["content-length"] == str(len(large))
    assert answer["content-encoding"] is None


async def test_memory_stays_flat_while_a_large_file_is_sent(folder):
    """A client that is slower than the disk gets one piece after the other."""
    with (folder / "disk.img").open("wb") as file:
        file.truncate(64 * 1024 * 1024)
    app, sent = files_app(Files(folder), None), 0

    async def count(message):
        nonlocal sent
        sent += len(message.get("body", b""))

    scope = {"method": "GET", "path": "/disk.img", "headers": [], "path_params": {"p": "disk.img"}}
    await app(scope | {"method": "HEAD"}, None, count)
    tracemalloc.start()
    await app(scope, None, count)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert sent == 64 * 1024 * 1024
    assert peak < 2 * 1024 * 1024


async def test_ranges_of_a_large_file(app, large):
    """Seeking in a video reads only what is sent."""
    one = await get(app, "video.mp4", {"range": "bytes=1000000-1500000"})
    two = await get(app, "video.mp4", {"range": "bytes=0-1,-2"})

    assert one.body == large[1_000_000:]
    assert one["content-range"] == f"bytes 1000000-{len(large) - 1}/{len(large)}"
    assert large[:2] in two.body
    assert int(two["content-length"]) == len(two.body)


async def test_a_large_file_has_conditions(app, large):
    """Its tag changes with its time and size, since to read all of it for a hash takes long."""
    tag = (await get(app, "video.mp4", method="HEAD"))["etag"]

    assert (await get(app, "video.mp4", {"if-none-match": tag})).status == 304


async def test_a_large_file_that_was_replaced_is_sent_as_it_is_now(folder, large):
    """Its length is that of the bytes that follow, although the last check was just before."""
    app = files_app(Files(folder), None, clock=ManualClock())
    await get(app, "video.mp4", method="HEAD")
    (folder / "video.mp4").write_bytes(large + b"more")

    answer = await get(app, "video.mp4")

    assert answer.body == large + b"more"
    assert answer["content-length"] == str(len(large) + 4)


async def test_a_large_file_that_becomes_shorter_cuts_the_answer_off(folder, large):
    """The client notices, instead of waiting for the rest."""
    app = files_app(Files(folder), None)

    async def truncate(message):
        if message["type"] == "http.response.start":
            os.truncate(folder / "video.mp4", 10)

    scope = {
        "method": "GET",
        "path": "/video.mp4",
        "headers": [],
        "path_params": {"p": "video.mp4"},
    }
    with pytest.raises(FileTruncated):
        await app(scope, None, truncate)


def open_files() -> int:
    """Return how many files this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_a_client_that_leaves_closes_the_file(folder, large):
    """Also while a thread reads; nothing is left open."""
    app = files_app(Files(folder), None)
    before = open_files()

    async def leave(message):
        if message.get("body"):
            raise OSError("gone")

    scope = {
        "method": "GET",
        "path": "/video.mp4",
        "headers": [],
        "path_params": {"p": "video.mp4"},
    }
    with pytest.raises(OSError, match="gone"):
        await app(scope, None, leave)
    tasks = [asyncio.ensure_future(get(app, "video.mp4")) for _ in range(20)]
    for turn, task in enumerate(tasks):
        for _ in range(turn):
            await asyncio.sleep(0)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_default_executor()

    assert open_files() == before
