"""Decodes replies: a reply becomes a typed value, or an error."""

from collections.abc import Hashable, Mapping
from dataclasses import replace
from functools import lru_cache
from types import NoneType
from typing import Any, Final, Generic, TypeVar, get_args, get_origin

import msgspec
from typing_extensions import TypeForm

from bff_core.call import SAFE, Call, Decode, Headers, Reply, find_header
from bff_core.errors import BadPayload, BadStatus, ConfigurationError
from bff_core.http_statuses import ABSENT
from bff_core.payload_errors import SAMPLE_BYTES, describe_line_mismatch, describe_mismatch
from bff_core.policy.upstream.policy import Policy
from bff_core.upstream.immutable import is_immutable
from bff_core.upstream.reading.charset import is_foreign, text_of
from bff_core.upstream.reading.dates import may_lack_zone
from bff_core.upstream.reading.options import STRICT, Decoder, ReadingOptions, reading_options
from bff_core.upstream.reading.plain_json import RepeatedName, repeated_name
from bff_core.upstream.reading.reply_types import ReplyType, name_of
from bff_core.upstream.reading.tolerant import (
    DECODE_ERRORS,
    MAX_COERCED_CHARACTERS,
    FallbackDecoder,
    Reduced,
    without_content,
)
from bff_core.upstream.typed_reply import ReplyHeaders, TypedReply

T = TypeVar("T")

FULLY_SEARCHED_REPLIES: Final = 1000
"""How many replies of each type are all searched for repeated names, before sampling begins."""

SEARCH_INTERVAL_REPLIES: Final = 256
"""After that one reply in so many is searched; each one, once a repeated name was found."""

_ABSENT_IS_NONE: Final = SAFE | {"DELETE"}
"""Methods whose 404 is None even if the declared type is None: nothing was expected anyway."""


class Decoding(Generic[T]):
    """Decodes replies as one declared type.

    `is_shareable` is whether values are immutable, so that requests may share one. A fast decoder
    comes first; the slower fallback reads what that one refuses or may misread. The search for
    repeated names takes three times as long as decoding, so that later replies are sampled.
    """

    __slots__ = (
        "_decode",
        "_every",
        "_fallback",
        "_is_nullable",
        "_is_void",
        "_is_zoned",
        "_model",
        "_unsearched",
        "_until_searched",
        "is_shareable",
    )  # fmt: skip

    def __init__(self, model: TypeForm[T], options: ReadingOptions = STRICT) -> None:
        self._model = model
        self._is_void = model is None or model is NoneType
        self._is_nullable = self._is_void or NoneType in get_args(model)
        known = ReplyType(model, options)
        self._decode = known.decode
        self._fallback = FallbackDecoder(known, options, may_be_empty=self._is_nullable)
        self._is_zoned = options.is_zoned and known.has_moments
        self._unsearched = FULLY_SEARCHED_REPLIES
        self._every = SEARCH_INTERVAL_REPLIES
        self._until_searched = 1
        self.is_shareable = is_immutable(model)

    def value(self, reply: Reply, call: Call) -> T | Reduced:
        """Return the typed value of a reply, or `Reduced` if tolerant reading omitted something.

        404, 410 and an empty success are None if the type allows it; the body of a success is
        ignored if the type is None itself. Raises `BadStatus` for any
        other status that is not a success, and `BadPayload` for a body that does not fit.
        """
        if not 200 <= reply.status < 300:
            return self._refused(reply, call)
        body = reply.content
        if self._is_void or (not body and self._is_nullable):
            return None  # type: ignore[return-value]  # the type allows it
        try:
            value = self._decode(body)
        except DECODE_ERRORS:
            return self._read_again(reply, call)
        self._until_searched = left = self._until_searched - 1
        if left <= 0 or self._is_zoned or not body.isascii():
            return self._checked(value, reply, call)
        return value  # type: ignore[no-any-return]  # decoded as the model

    def line(self, line: bytes, headers: Headers, call: Call) -> T | Reduced:
        """Return the typed value of a line of a stream; raise `BadPayload`."""
        try:
            value = self._decode(line)
        except DECODE_ERRORS:
            try:
                return self._fallback.read(line, find_header(headers, b"content-type") or b"")  # type: ignore[no-any-return]  # as the model
            except DECODE_ERRORS as error:
                message = describe_line_mismatch(line, error, without_content(error))
                raise BadPayload(message, call=call, sample=line[:SAMPLE_BYTES]) from error
        self._until_searched = left = self._until_searched - 1
        if left <= 0 or self._is_zoned or not line.isascii():
            return self._checked(value, Reply(200, headers, line), call)
        return value  # type: ignore[no-any-return]  # decoded as the model

    def _checked(self, value: Any, reply: Reply, call: Call) -> T | Reduced:
        """Return a decoded value, unless its body needs the fallback or repeats a name."""
        body = reply.content
        content_type = find_header(reply.headers, b"content-type") or b""
        is_foreign_text = is_foreign(content_type) and not body.isascii()
        if is_foreign_text or (self._is_zoned and may_lack_zone(body)):
            return self._read_again(reply, call)
        if self._until_searched <= 0:
            self._search(reply, call)
        return value  # type: ignore[no-any-return]  # decoded as the model

    def _search(self, reply: Reply, call: Call) -> None:
        """Raise `BadPayload` for a repeated name; from then on each reply is searched."""
        self._unsearched -= 1
        self._until_searched = 1 if self._unsearched > 0 else self._every
        body = reply.content
        if len(body) > MAX_COERCED_CHARACTERS:
            return
        name = repeated_name(body.decode("utf-8", "surrogateescape"))
        if name is not None:
            self._every = self._until_searched = 1
            raise self._unfit(reply, call, RepeatedName.of(name))

    def _read_again(self, reply: Reply, call: Call) -> T | Reduced:
        content_type = find_header(reply.headers, b"content-type") or b""
        try:
            return self._fallback.read(reply.content, content_type)  # type: ignore[no-any-return]  # as the model
        except DECODE_ERRORS as error:
            raise self._unfit(reply, call, error) from error

    def _unfit(self, reply: Reply, call: Call, error: Exception) -> BadPayload:
        """Return the error of a body that does not fit; it holds no content of the body."""
        message = describe_mismatch(reply, name_of(self._model), error, without_content(error))
        return BadPayload(message, call=call, reply=reply)

    def _refused(self, reply: Reply, call: Call) -> T:
        # A write to an absent resource must not look successful; a delete of one is.
        is_answer = self._is_nullable and (not self._is_void or call.method in _ABSENT_IS_NONE)
        if reply.status in ABSENT and is_answer:
            return None  # type: ignore[return-value]  # the type allows it
        raise BadStatus(reply, call=call, detail=problem_detail(reply))


class Decodings(dict[Any, Decode]):
    """The decodings of one upstream by type; each is compiled when it is first needed."""

    __slots__ = ("_options", "_tolerant")

    def __init__(self, policy: Policy, decoders: Mapping[type, Decoder]) -> None:
        super().__init__()
        self._options = reading_options(policy, decoders)
        self._tolerant: dict[Any, Decode] = {}

    def __missing__(self, model: Any) -> Decode:
        made = self[model] = decoding(model, self._options)
        return made

    def tolerant(self, model: Any) -> Decode:
        """Return the decoding that omits what does not fit, whatever the policy says."""
        if model not in self._tolerant:
            self._tolerant[model] = decoding(model, replace(self._options, is_tolerant=True))
        return self._tolerant[model]

    def of_lines(self, model: Any) -> Decoding[Any]:
        """Return the decoding for the lines of a stream; raises `ConfigurationError`."""
        found = self[model]
        if not isinstance(found, Decoding):
            raise ConfigurationError(f"{model!r}: lines have no status and headers of their own")
        return found


class ReplyDecoding(Generic[T]):
    """Decodes replies as a `TypedReply` of one declared type."""

    __slots__ = ("_inner", "is_shareable")

    def __init__(self, model: TypeForm[T], options: ReadingOptions = STRICT) -> None:
        self._inner = decoding(model, options)
        self.is_shareable = self._inner.is_shareable

    def value(self, reply: Reply, call: Call) -> TypedReply[T] | Reduced:
        """Return the typed value with status and headers; raises as `Decoding.value` does."""
        value: Any = self._inner.value(reply, call)
        headers = ReplyHeaders(reply.headers)
        if isinstance(value, Reduced):
            return Reduced(TypedReply(value.value, reply.status, headers), value.lost)
        return TypedReply(value, reply.status, headers)


def decoding(model: TypeForm[T], options: ReadingOptions = STRICT) -> Decode:
    """Return the compiled decoding of a type; types are written in code, so they are few."""
    return _compiled(model, options)  # type: ignore[arg-type]  # type forms are hashable


@lru_cache(maxsize=4096)
def _compiled(model: Hashable, options: ReadingOptions) -> Decoding[Any] | ReplyDecoding[Any]:
    if get_origin(model) is TypedReply:
        return ReplyDecoding(get_args(model)[0], options)
    if any(one is TypedReply or get_origin(one) is TypedReply for one in (model, *get_args(model))):
        raise ConfigurationError(
            f"{model!r}: write TypedReply[...] round the whole type, as in TypedReply[Order | None]"
        )
    return Decoding(model, options)  # type: ignore[arg-type]  # `decoding` was handed a type form


_decode_any: Final = msgspec.json.Decoder().decode


def problem_detail(reply: Reply) -> str:
    """Return the detail or title of a problem body (RFC 9457), or nothing."""
    content_type = find_header(reply.headers, b"content-type") or b""
    if content_type.partition(b";")[0].strip().lower() != b"application/problem+json":
        return ""
    try:
        problem = _decode_any(text_of(reply.content, content_type))
    except DECODE_ERRORS:
        return ""
    members = problem if isinstance(problem, dict) else {}
    texts = (members.get(name) for name in ("detail", "title"))
    return next((text for text in texts if isinstance(text, str) and text.strip()), "")
