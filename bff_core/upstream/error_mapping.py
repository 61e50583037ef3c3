"""Translates a service's errors into ours: `passes_through` and `fails_with`."""

import inspect
import re
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any, Final, Never, TypeGuard, get_args, get_origin

import msgspec
from msgspec.structs import replace

from bff_core.call import Reply, find_header
from bff_core.errors import (
    BadPayload,
    BadStatus,
    BFFError,
    ClientError,
    ConfigurationError,
    retry_after_of,
)
from bff_core.http_statuses import CLIENT_ERROR_TITLES
from bff_core.upstream.decoding import Decodings, decoding
from bff_core.upstream.reading.charset import text_of
from bff_core.upstream.reading.tolerant import DECODE_ERRORS, Reduced
from bff_core.upstream.typed_failure import TypedFailure
from bff_core.upstream.typed_reply import ReplyHeaders, TypedReply

Translate = Callable[[Never], BFFError | None] | type[TypedFailure[Any]]
"""Translates a service's failure into one of our errors; None leaves it unchanged.

The annotation of its only parameter is what it gets: the type as which the body is decoded, a
`TypedReply` of such a type, or `Reply`. A subclass of `TypedFailure` is raised with its body.
"""

FailsWith = Mapping[int, Translate]
"""The functions that translate failures, by the service's status."""

BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

MAX_ERRORS: Final = 50
"""How many `errors` of a problem are passed on at most."""

_is_code: Final = re.compile(r"[A-Za-z0-9_.:-]{1,100}").fullmatch


class _Translation:
    """A function of `fails_with`, and how its argument is made from a reply."""

    __slots__ = ("_is_typed", "_is_typed_reply", "_model", "function", "name")

    def __init__(self, function: Translate) -> None:
        self.function = function
        self.name = getattr(function, "__qualname__", repr(function))
        self._is_typed = _is_typed(function)
        model = function.model if _is_typed(function) else _parameter(function, self.name)
        self._is_typed_reply = get_origin(model) is TypedReply
        self._model = get_args(model)[0] if self._is_typed_reply else model
        if self._model is not Reply:
            decoding(self._model)  # type: ignore[arg-type]  # an annotation; raises for wrong ones

    def argument(self, failure: BadStatus, decodings: Decodings) -> object:
        """Return the function's argument; raise `BadPayload` for a body that does not fit."""
        reply = failure.reply
        if self._model is Reply:
            return reply
        body = reply.content.removeprefix(BYTE_ORDER_MARK)
        decode = decodings.tolerant(self._model) if self._is_typed else decodings[self._model]
        value = decode.value(replace(reply, status=200, body=body), failure.call)
        if isinstance(value, Reduced):
            value = value.value
        if self._is_typed_reply:
            return TypedReply(value, reply.status, ReplyHeaders(reply.headers))
        return value


def _is_typed(function: Translate) -> TypeGuard[type[TypedFailure[Any]]]:
    return isinstance(function, type) and issubclass(function, TypedFailure)


def _parameter(function: Translate, name: str) -> object:
    """Return the annotation of a function's only parameter; `Reply` if it has none."""
    if isinstance(function, type) or not callable(function):
        shown = function.__name__ if isinstance(function, type) else repr(function)
        raise ConfigurationError(
            f"fails_with: {shown} must be a function with one parameter, whose annotation is the "
            "type of the service's error: def as_our_error(error: TheirError) -> InvalidInput"
        )
    if inspect.iscoroutinefunction(function):
        raise ConfigurationError(f"fails_with: {name} must be declared with `def`, not `async def`")
    try:
        signature = inspect.signature(function, eval_str=True)
        signature.bind(None)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(f"fails_with: {name} must take one argument: {error}") from error
    except NameError as error:
        raise ConfigurationError(
            f"fails_with: {name}: {error}; define the type before the class that names the function"
        ) from error
    annotation = next(iter(signature.parameters.values())).annotation
    return Reply if annotation is inspect.Parameter.empty else annotation


def _translation(function: Translate) -> _Translation:
    return _compiled(function) if isinstance(function, Hashable) else _Translation(function)


@lru_cache(maxsize=1024)
def _compiled(function: Translate) -> _Translation:
    return _Translation(function)


def check_failures(owner: str, passes_through: AbstractSet[int], fails_with: FailsWith) -> None:
    """Raise `ConfigurationError` for wrong declarations of an upstream."""
    if (
        not isinstance(passes_through, AbstractSet)
        or not passes_through <= CLIENT_ERROR_TITLES.keys()
    ):
        raise ConfigurationError(
            f"{owner}.passes_through must be a set of {', '.join(map(str, CLIENT_ERROR_TITLES))}"
        )
    if not isinstance(fails_with, Mapping):
        raise ConfigurationError(f"{owner}.fails_with must map statuses to functions")
    for status, function in fails_with.items():
        if type(status) is not int or not 300 <= status <= 599:
            raise ConfigurationError(
                f"{owner}.fails_with: {status!r} must be the status of a failure, 300 to 599"
            )
        try:
            _translation(function)
        except ConfigurationError as error:
            raise ConfigurationError(f"{owner}.{error}") from error


def translated(failure: BadStatus, function: Translate, decodings: Decodings) -> BFFError:
    """Return the error that a function makes of a failure, or the failure itself.

    `decodings` are those of the upstream: its policy and decoders apply to errors as well, but
    the body of a `TypedFailure` is always read tolerantly, so that a new code is not its end.

    1. If the body does not fit, the failure is returned, with that in its message.
    2. Raising one of our errors is the same as returning it.
    3. Any other exception is a bug of the function; it is raised with the failure as its cause.
    4. The error gets the service's Retry-After unless it has one of its own.
    """
    translation = _translation(function)
    try:
        argument = translation.argument(failure, decodings)
    except BadPayload as misfit:
        reason = str(misfit.args[0]).replace("(status 200", f"(status {failure.reply.status}")
        failure.args = (f"{failure.args[0]}; for {translation.name}, {reason}",)
        return failure
    if _is_typed(translation.function):
        return translation.function.of(failure, argument)
    made = _called(translation, argument, failure)
    if made is None:
        return failure
    made = _copied(made)
    if made.retry_after is None:
        made.retry_after = retry_after_of(failure.reply, time.time)
    return made


def _called(translation: _Translation, argument: object, failure: BadStatus) -> BFFError | None:
    try:
        made = translation.function(argument)  # type: ignore[arg-type,call-arg]  # as annotated
    except BFFError as raised:
        made = raised
    except Exception as bug:
        bug.__cause__ = bug.__cause__ or failure
        raise
    if made is not None and not isinstance(made, BFFError):
        raise TypeError(
            f"fails_with: {translation.name} returned {type(made).__name__}: return an error of "
            "bff_core, or None"
        ) from failure
    return made


def _copied(error: BFFError) -> BFFError:
    """Return a copy of an error, since a function may return a constant.

    The cause and the Retry-After of this call must not appear in the errors of other calls.
    """
    own = type(error).__new__(type(error), *error.args)
    own.__dict__.update(error.__dict__)
    return own.with_traceback(error.__traceback__)


class _Problem(msgspec.Struct):
    detail: object = ""
    title: object = ""
    code: object = ""
    errors: object = None


_decode_problem: Final = msgspec.json.Decoder(_Problem).decode


def as_problem(reply: Reply) -> ClientError | None:
    """Pass on a service's problem (RFC 9457): status, title, detail, `code` and `errors`.

    For `fails_with` of services whose problems are written for our clients. Members of a wrong type
    are left out. A body that is not a JSON object, or a status other than 4xx, is not translated.
    Faults by field name, as ASP.NET lists them, become one object each.
    """
    try:
        content_type = find_header(reply.headers, b"content-type") or b""
        problem = _decode_problem(text_of(reply.content, content_type))
    except DECODE_ERRORS:
        return None
    if not 400 <= reply.status <= 499:
        return None
    title, code = _text(problem.title), _text(problem.code)
    return ClientError(
        _text(problem.detail) or title,
        status=reply.status,
        title=title,
        code=code if _is_code(code) else "",
        errors=[fault for fault, _ in zip(_faults(problem.errors), range(MAX_ERRORS))],  # noqa: B905 # the shorter ends it
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _faults(errors: object) -> Iterator[Mapping[str, object]]:
    """Yield faults as objects, from the usual forms of `errors`."""
    if isinstance(errors, list):
        for one in errors:
            if isinstance(one, dict):
                yield one
            elif isinstance(one, str):
                yield {"detail": one}
    elif isinstance(errors, dict):
        for name, details in errors.items():
            for one in details if isinstance(details, list) else [details]:
                yield {"field": name, "detail": one}
