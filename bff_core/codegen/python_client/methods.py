"""Writes the client class of asynchronous programs, and how its answers are read."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bff_core.codegen.python_client.operations import (
    ClientBody,
    ClientMethod,
    ClientParameter,
)
from bff_core.codegen.python_client.texts import documented, joined
from bff_core.codegen.python_text import (
    LINE_LENGTH,
    docstring,
    exploded,
    literal,
    sentence,
)
from bff_core.contracts.document import Document

Form = Callable[[str], str]
"""Makes asynchronous code of a module what its form needs; texts of others do not pass it."""


@dataclass(frozen=True, slots=True)
class ClientClass:
    """The names of a client: its class, its package, what the first line of files says."""

    name: str
    package: str
    header: str
    token_header: str = "Authorization"  # noqa: S105 # the name of a header
    token_prefix: str = "Bearer "  # noqa: S105 # the scheme of RFC 6750


def readers_module(methods: Sequence[ClientMethod], of: ClientClass) -> str:
    """Return the module that says how the answers of each operation are read."""
    lines = [of.header, '"""How the answers of each operation are read, by status."""', ""]
    body: list[str] = []
    for one in methods:
        body.append(f"{one.constant}: _encoding.Readers[{one.annotation}] = {{")
        body += [f"    {reader.status}: {reader.code}," for reader in one.readers]
        body.append("}")
    text = "\n".join(body)
    lines += _typing_imports(text, "Any", "Literal")
    lines += [f"import {name}" for name in ("datetime", "decimal", "uuid") if f"{name}." in text]
    lines += [""] if lines[-1] else []
    lines += [f"from {of.package} import models"] if "models." in text else []
    lines += [f"from {of.package}.runtime import encoding as _encoding", ""]
    return joined([*lines, *body])


def client_module(
    methods: Sequence[ClientMethod], document: Document, of: ClientClass, form: Form
) -> str:
    """Return the module with the client of one form."""
    body = [line for one in methods for line in method_lines(one, form)]
    text = "\n".join(body)
    modules = [name for name in ("datetime", "decimal", "uuid") if f"{name}." in text]
    lines = [of.header, form('"""The asynchronous client."""'), ""]
    lines += [f"import {name}" for name in modules]
    lines += ["from collections.abc import Mapping", "from types import TracebackType"]
    lines += [f"from typing import {', '.join(sorted([*_used(text, 'Any', 'Literal'), 'Self']))}"]
    lines += ["", "import httpx", ""]
    lines += sorted(form(line) for line in _runtime_imports(text, of))
    lines += ["", "", *_class_lines(document, of, form), *body]
    return joined(lines)


def _runtime_imports(text: str, of: ClientClass) -> list[str]:
    runtime = f"{of.package}.runtime"
    uploads = ["UploadedFile"] if "UploadedFile" in text else []
    streams = ["AsyncValues"] if "_streams." in text else []
    answers = _used(text, "GatewayAnswer", "ProgressLine", "StreamEvent")
    modules = ["_readers"] + (["models"] if "models." in text else [])
    used = [("encoding", "_encoding"), ("async_streams", "_streams")]
    lines = [f"from {of.package} import {', '.join(modules)}"]
    lines += [
        f"from {runtime} import {name} as {alias}" for name, alias in used if f"{alias}." in text
    ]
    lines += [f"from {runtime}.answers import {', '.join(answers)}"] if answers else []
    lines += [f"from {runtime}.async_caller import AsyncCaller"]
    lines += [f"from {runtime}.async_platform import Token"]
    lines += [f"from {runtime}.async_streams import {', '.join(streams)}"] if streams else []
    lines += [f"from {runtime}.encoding import {', '.join(uploads)}"] if uploads else []
    lines += [f"from {runtime}.entity_tags import EntityTagStore"]
    lines += [f"from {runtime}.settings import DEFAULT, CallSettings, RetrySettings"]
    return lines


def _class_lines(document: Document, of: ClientClass, form: Form) -> Iterator[str]:
    yield f"class {form('Async' + of.name)}:"
    title = sentence(document.title) or "the gateway."
    yield from docstring(f"A client of {title}\n\n{_OPTIONS}", 4)
    for line in _CONSTRUCTOR.split("\n"):
        text = line.replace("TOKEN_HEADER", literal(of.token_header))
        yield form(text.replace("TOKEN_PREFIX", literal(of.token_prefix)))


_OPTIONS = (
    "`base_url` is the address of the gateway. `token` is sent with each call; a function returns "
    "the current one, and is called again after a 401. `http` is an HTTP client of yours, which "
    "stays open; without one this client has its own: close it. `timeout` is in seconds, for all "
    "attempts of a call; `idle_timeout` is the longest silence of a stream. `entity_tags` stores "
    "answers for conditional requests, by default 200. `headers` are sent with each call."
)

_CONSTRUCTOR = """
    def __init__(
        self,
        base_url: str,
        *,
        token: Token = None,
        http: httpx.AsyncClient | None = None,
        timeout: float = 10.0,
        idle_timeout: float = 60.0,
        retries: RetrySettings | None = None,
        entity_tags: EntityTagStore | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._caller = AsyncCaller(
            base_url,
            http=http,
            token=token,
            timeout=timeout,
            idle_timeout=idle_timeout,
            retries=retries,
            entity_tags=EntityTagStore() if entity_tags is None else entity_tags,
            headers=headers,
            token_header=TOKEN_HEADER,
            token_prefix=TOKEN_PREFIX,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        \"\"\"Close the connections, unless the HTTP client is yours.\"\"\"
        await self._caller.aclose()"""


def method_lines(one: ClientMethod, form: Form) -> list[str]:
    """Return the lines of a method."""
    is_value = one.kind == "value"
    start = form("async def ") if is_value else "def "
    lines = ["", f"    {start}{one.name}(", "        self,"]
    lines += [f"        {text}," for text in _signature(one)]
    lines += [f"    ) -> {_returned(one, form)}:", *_docstring(one)]
    lines += ["        _request = _encoding.PreparedRequest("]
    lines += [f"            {line}" for line in _request(one)]
    lines.append("        )")
    readers = f"_readers.{one.constant}"
    if is_value:
        call = form("await self._caller.call")
        return [*lines, *_call(call, "_request", readers, "settings")]
    read = f"{readers}[{one.readers[0].status}]"
    return [*lines, *_call(f"_streams.{one.kind}", "self._caller", "_request", read, "settings")]


def _call(function: str, *arguments: str) -> list[str]:
    """Return the lines that return what a function returns."""
    return exploded(f"return {function}(", arguments, ")", 8)


def _returned(one: ClientMethod, form: Form) -> str:
    values = form("AsyncValues")
    match one.kind:
        case "value":
            return f"GatewayAnswer[{one.annotation}]"
        case "progress":
            return f"{values}[ProgressLine[{one.annotation}]]"
        case "events":
            return f"{values}[StreamEvent[{one.annotation}]]"
    return f"{values}[{one.annotation}]"


def _signature(one: ClientMethod) -> Iterator[str]:
    """Yield the parameters: those of the path and the body first, the others by keyword."""
    path = [p for p in one.parameters if p.of.place == "path"]
    others = [p for p in one.parameters if p.of.place != "path"]
    yield from (f"{p.name}: {p.annotation}" for p in path)
    body = one.body
    if body is not None and body.kind != "form":
        yield f"body: {body.annotation}" + ("" if body.is_required else " = None")
    yield "*"
    fields = body.fields if body is not None else ()
    yield from (f"{f.name}: {f.annotation}" for f in fields if f.is_required)
    yield from (f"{p.name}: {p.annotation}" for p in others if p.is_required)
    yield from (f"{f.name}: {f.annotation} = None" for f in fields if not f.is_required)
    yield from (f"{p.name}: {p.annotation} = None" for p in others if not p.is_required)
    yield "settings: CallSettings = DEFAULT"


def _request(one: ClientMethod) -> Iterator[str]:
    """Yield the lines of the arguments of the request."""
    yield f"method={literal(one.operation.method.upper())},"
    yield from _path_lines(_path(one))
    query = [p for p in one.parameters if p.of.place == "query"]
    yield from _listed("query=[", (f"*{_query(p)}" for p in query), "],")
    for place in ("header", "cookie"):
        given = [p for p in one.parameters if p.of.place == place]
        pairs = [f"{literal(p.of.name)}: {p.name}" for p in given]
        yield from _mapped(f"{place}s=_encoding.{place}_texts(", pairs)
    yield from _body(one.body)
    if one.accept != "application/json":
        yield f"accept={literal(one.accept)},"
    if one.takes_key:
        yield "takes_key=True,"


def _listed(start: str, items: Iterable[str], end: str) -> list[str]:
    """Return items on a line each; no lines without items."""
    lines = [f"    {one}," for one in items]
    return [start, *lines, end] if lines else []


def _mapped(start: str, pairs: Iterable[str]) -> list[str]:
    """Return a call with a dictionary, a pair on each line; no lines without pairs."""
    lines = _listed("    {", (f"    {one}" for one in pairs), "    }")
    return [start, *lines, "),"] if lines else []


def _body(body: ClientBody | None) -> Iterator[str]:
    if body is None:
        return
    if body.kind == "form":
        fields = [f"{literal(f.field)}: {f.name}" for f in body.fields]
        yield from _mapped("form=_encoding.form_fields(", fields) or ["form={},"]
        if body.media_type == "multipart/form-data":
            yield "is_multipart=True,"
        return
    codes = {"json": "_encoding.json_bytes(body)", "text": "body.encode()", "bytes": "body"}
    code = codes[body.kind]
    yield f"content={code}," if body.is_required else f"content=None if body is None else {code},"
    yield f"media_type={literal(body.media_type)},"


def _path_lines(pieces: Sequence[str]) -> list[str]:
    """Return the argument `path`, whose pieces are added up."""
    line = f"path={' + '.join(pieces)},"
    if len(line) <= LINE_LENGTH - 12:
        return [line]
    return [f"path={pieces[0]}", *(f"+ {one}" for one in pieces[1:-1]), f"+ {pieces[-1]},"]


def _path(one: ClientMethod) -> list[str]:
    """Return the path as code: the pieces of its template, and values that are encoded."""
    known = {p.of.name: p for p in one.parameters if p.of.place == "path"}
    pieces, rest = [], one.operation.path
    while rest:
        before, brace, after = rest.partition("{")
        name, end, tail = after.partition("}")
        if not brace or not end or name not in known:
            pieces.append(literal(rest if not brace else before + brace))
            rest = "" if not brace else after
            continue
        pieces += [literal(before)] if before else []
        function = "path_segments" if name in one.slashes else "path_segment"
        pieces.append(f"_encoding.{function}({known[name].name})")
        rest = tail
    return pieces or ['""']


def _query(one: ClientParameter) -> str:
    name, of = literal(one.of.name), one.of
    if of.media_type:
        return f"_encoding.query_json({name}, {one.name})"
    style = "" if of.style == "form" and of.is_exploded else f", {literal(of.style)}"
    explode = "" if of.is_exploded else ", explode=False"
    return f"_encoding.query_pairs({name}, {one.name}{style}{explode})"


def _docstring(one: ClientMethod) -> list[str]:
    operation = one.operation
    texts = [operation.summary if sentence(operation.summary) else "", operation.description]
    if one.parts:
        texts.append(f"Parts: {', '.join(one.parts)}.")
    described = [p for p in one.parameters if sentence(p.of.description)]
    texts += [f"`{p.name}`: {sentence(p.of.description)}" for p in described]
    if operation.is_deprecated:
        texts.append("Deprecated.")
    if one.kind == "progress":
        texts.append("Yields a line for each part that has ended, and at last the answer.")
    return documented("\n\n".join(one for one in texts if one.strip()), operation.name, 8)


def _used(text: str, *names: str) -> list[str]:
    return [one for one in names if re.search(rf"\b{one}\b", text)]


def _typing_imports(text: str, *names: str) -> list[str]:
    used = _used(text, *names)
    return [f"from typing import {', '.join(used)}"] if used else []
