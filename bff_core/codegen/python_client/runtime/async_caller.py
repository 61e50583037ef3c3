"""Sends calls: credentials, entity tags, retries, the timeout of a call, its answer."""

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, Final, TypeVar

import httpx

from bff_core.codegen.python_client.runtime.answers import GatewayAnswer
from bff_core.codegen.python_client.runtime.async_platform import (
    Token,
    current_token,
    pause,
    within,
)
from bff_core.codegen.python_client.runtime.encoding import (
    HEADER_VALUE,
    PreparedRequest,
    Readers,
    boundary_of,
    checked_header,
    form_parts,
)
from bff_core.codegen.python_client.runtime.entity_tags import (
    EntityTagStore,
    TaggedAnswer,
    store_key,
)
from bff_core.codegen.python_client.runtime.errors import (
    GatewayError,
    GatewayTimeout,
    GatewayUnreachable,
    broken,
    is_json,
    problem_of,
)
from bff_core.codegen.python_client.runtime.replies import ReceivedReply, answer_of, unexpected
from bff_core.codegen.python_client.runtime.settings import (
    Attempts,
    CallSettings,
    RetrySettings,
    new_key,
    quoted_key,
    retry_after_of,
)

T = TypeVar("T")
PROBLEM: Final = "application/problem+json"


class AsyncCaller:
    """Sends the calls of a client over one HTTP client."""

    def __init__(
        self,
        base_url: str,
        *,
        http: httpx.AsyncClient | None = None,
        token: Token = None,
        timeout: float = 10.0,
        idle_timeout: float = 60.0,
        retries: RetrySettings | None = None,
        entity_tags: EntityTagStore | None = None,
        headers: Mapping[str, str] | None = None,
        token_header: str = "Authorization",  # noqa: S107 # the name of a header
        token_prefix: str = "Bearer ",  # noqa: S107 # the scheme of RFC 6750
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._owns_http = http is None
        self._http = http or httpx.AsyncClient()
        self._token = token
        self._timeout = timeout
        self._idle_timeout = idle_timeout
        self._retries = retries or RetrySettings()
        self._entity_tags = entity_tags
        self._headers = dict(headers or {})
        self._token_header, self._token_prefix = token_header, token_prefix

    async def aclose(self) -> None:
        """Close the connections, unless the HTTP client belongs to the caller."""
        if self._owns_http:
            await self._http.aclose()

    async def call(
        self, request: PreparedRequest, readers: Readers[T], settings: CallSettings
    ) -> GatewayAnswer[T]:
        """Send a call until it is answered; return the answer."""
        sent = self._built(request, settings)
        reply, key, stored = await self._answered(request, sent, settings)
        if reply.status == 304 and stored is not None:
            headers = {**stored.headers, **reply.headers}
            reply = ReceivedReply(200, headers, stored.body)
            return answer_of(reply, request, readers, is_unchanged=True)
        answer = answer_of(reply, request, readers)
        self._store(key, reply)
        return answer

    async def open(self, request: PreparedRequest, settings: CallSettings) -> httpx.Response:
        """Send a call whose answer is a stream; return the response before its body has come."""
        sent = self._built(request, settings)
        reply, _, _ = await self._answered(request, sent, settings, is_stream=True)
        if reply.stream is None:
            raise unexpected(reply, "is no stream")
        kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
        if not (kind == request.accept or is_json(reply.headers) or reply.status == 204):
            await reply.stream.aclose()
            raise unexpected(reply, "is no stream")
        return reply.stream

    async def pieces(self, response: httpx.Response) -> AsyncGenerator[bytes, None]:
        """Yield the body of a stream; raise `StreamBroken` if it does not come to its end."""
        try:
            async with aclosing(response):
                async for piece in response.aiter_bytes():
                    yield piece
        except httpx.TimeoutException as error:
            silence = f"no data came for {self._idle_timeout} seconds"
            raise broken(silence, response.status_code, response.headers) from error
        except (httpx.RequestError, httpx.StreamError) as error:
            cut = f"the stream was cut off: {error}"
            raise broken(cut, response.status_code, response.headers) from error

    def _built(self, request: PreparedRequest, settings: CallSettings) -> httpx.Request:
        """Return the request of the HTTP client; each attempt sends the same one."""
        key = (settings.idempotency_key or new_key()) if request.takes_key else ""
        headers = httpx.Headers({"Accept": _accepted(request)}, encoding="latin-1")
        for given in (self._headers, request.headers, settings.headers):
            for name, value in given.items():
                headers[name] = checked_header(name, value)
        if key:
            headers["Idempotency-Key"] = quoted_key(key)
        if request.cookies:
            cookies = "; ".join(f"{name}={one}" for name, one in request.cookies.items())
            headers["Cookie"] = checked_header("Cookie", cookies)
        types, body = _body(request, key)
        headers.update(types)
        url = httpx.URL(self._base_url + request.path)
        url = url.copy_with(params=request.query) if request.query else url
        return self._http.build_request(request.method, url, headers=headers, **body)

    async def _answered(
        self,
        request: PreparedRequest,
        sent: httpx.Request,
        settings: CallSettings,
        *,
        is_stream: bool = False,
    ) -> tuple[ReceivedReply, str, TaggedAnswer | None]:
        """Send attempts until a reply is final.

        Returns it with the key of the store, and the stored answer that it may confirm.
        """
        timeout = self._timeout if settings.timeout is None else settings.timeout
        deadline = time.monotonic() + timeout
        may_repeat = request.is_read or request.takes_key
        attempts = Attempts(settings.retries or self._retries, deadline, may_repeat=may_repeat)
        while True:
            token = await self._authorize(sent, deadline)
            key, stored = self._tag(request, sent)
            outcome = await self._attempt(sent, deadline, is_stream=is_stream)
            wait = await self._wait(outcome, attempts, sent, token)
            if wait is not None:
                await pause(wait)
            elif isinstance(outcome, GatewayError):
                raise outcome
            else:
                return outcome, key, stored

    async def _authorize(self, sent: httpx.Request, deadline: float) -> str:
        """Add the current token to a request; return it."""
        token = await self._current_token(sent, deadline)
        if token:
            value = self._token_prefix + token
            if not HEADER_VALUE.fullmatch(value):
                raise ValueError("the token has characters that no header can have")
            sent.headers[self._token_header] = value
        return token

    async def _current_token(self, sent: httpx.Request, deadline: float) -> str:
        """Return the current token; raise `GatewayTimeout` if it is not there in time."""
        if not callable(self._token):
            return self._token or ""
        try:
            async with within(max(0.001, deadline - time.monotonic())):
                return await current_token(self._token)
        except TimeoutError as error:
            if time.monotonic() < deadline:
                raise  # the function's own
            raise GatewayTimeout(f"{_address(sent)}: no token came in time") from error

    def _tag(
        self, request: PreparedRequest, sent: httpx.Request
    ) -> tuple[str, TaggedAnswer | None]:
        """Request the confirmation of a stored answer, if there is one."""
        if self._entity_tags is None or request.method != "GET":
            return "", None
        sent.headers.pop("If-None-Match", None)
        key = store_key(str(sent.url), sent.headers)
        stored = self._entity_tags.get(key)
        if stored is not None:
            sent.headers["If-None-Match"] = stored.etag
        return key, stored

    async def _attempt(
        self, sent: httpx.Request, deadline: float, *, is_stream: bool
    ) -> ReceivedReply | GatewayError:
        """Send a request once; return its reply, or why there is none."""
        remaining = max(0.001, deadline - time.monotonic())
        timeouts = httpx.Timeout(remaining).as_dict()
        sent.extensions["timeout"] = timeouts
        try:
            async with within(remaining):
                response = await self._http.send(sent, stream=True, follow_redirects=False)
                if is_stream and response.is_success:
                    timeouts["read"] = self._idle_timeout  # httpx reads it again for the body
                    headers = _headers(response)
                    return ReceivedReply(response.status_code, headers, b"", response)
                async with aclosing(response):
                    return await _read(response, deadline)
        except (TimeoutError, httpx.TimeoutException) as error:
            return _caused(GatewayTimeout(f"{_address(sent)} did not answer in time"), error)
        except httpx.RequestError as error:
            return _caused(GatewayUnreachable(f"{_address(sent)} can't be reached: {error}"), error)

    async def _wait(
        self,
        outcome: ReceivedReply | GatewayError,
        attempts: Attempts,
        sent: httpx.Request,
        token: str,
    ) -> float | None:
        """Return how long to wait before the next attempt; None if the outcome is final.

        Raises the problem of a reply that is final and no success.
        """
        if isinstance(outcome, GatewayTimeout):
            return None
        if isinstance(outcome, GatewayError):
            return attempts.wait_after(None, None)
        if outcome.status < 300 or outcome.status == 304:
            return None
        if outcome.status == 401 and callable(self._token) and attempts.renew_token():
            renewed = await self._current_token(sent, attempts.deadline)
            if renewed != token:
                return 0.0
        retry_after = retry_after_of(outcome.headers.get("retry-after", ""))
        wait = attempts.wait_after(outcome.status, retry_after)
        if wait is None and outcome.status >= 400:
            raise problem_of(outcome.status, outcome.headers, outcome.body, retry_after)
        return wait

    def _store(self, key: str, reply: ReceivedReply) -> None:
        """Store an answer with an entity tag, unless it may not be stored."""
        etag = reply.headers.get("etag", "")
        if self._entity_tags is None or not key or reply.status != 200:
            return
        forbidden = "no-store" in reply.headers.get("cache-control", "").lower()
        forbidden |= "*" in reply.headers.get("vary", "")
        if etag and not forbidden:
            self._entity_tags.put(key, TaggedAnswer(etag, reply.headers, reply.body))
        else:
            self._entity_tags.remove(key)


def _caused(error: GatewayError, cause: BaseException) -> GatewayError:
    error.__cause__ = cause
    return error


def _address(sent: httpx.Request) -> str:
    """Return where a request went, without its query, which may have what no log should have."""
    return f"{sent.method} {sent.url.copy_with(query=None)}"


async def _read(response: httpx.Response, deadline: float) -> ReceivedReply:
    """Read a reply to its end; raise `TimeoutError` if that takes too long."""
    pieces = []
    async for piece in response.aiter_bytes():
        pieces.append(piece)
        if time.monotonic() > deadline:
            raise TimeoutError
    return ReceivedReply(response.status_code, _headers(response), b"".join(pieces))


def _headers(response: httpx.Response) -> dict[str, str]:
    """Return headers by their names in lower case; values of one name are joined."""
    return {name.lower(): value for name, value in response.headers.items()}


def _accepted(request: PreparedRequest) -> str:
    return f"{request.accept}, {PROBLEM};q=0.9"


def _body(request: PreparedRequest, key: str) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the headers of a body, and the body as the HTTP client takes it."""
    if request.content is not None:
        return {"Content-Type": request.media_type}, {"content": request.content}
    if request.form is None:
        return {}, {}
    fields, files = form_parts(request.form)
    if not request.is_multipart:
        return {}, {"data": fields}
    boundary = boundary_of(key or new_key())
    # Fields are parts without a file name: the HTTP client sends a form without files URL-encoded.
    parts = [(name, (None, one)) for name, value in fields.items() for one in _listed(value)]
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, {"files": parts + files}


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
