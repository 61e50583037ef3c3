"""Replies into typed values: what counts as an answer, what as a failure, and whose."""

from collections.abc import Hashable
from functools import lru_cache
from types import NoneType
from typing import Any, Generic, TypeVar, get_args

import msgspec
from typing_extensions import TypeForm

from bff_core.call import Call, Reply
from bff_core.errors import BadPayload, BadStatus, ConfigurationError
from bff_core.upstream.immutable import is_immutable

T = TypeVar("T")


class Decoding(Generic[T]):
    """How replies become one declared type.

    `is_shareable` is whether requests may share a value: nobody can change it.
    """

    __slots__ = ("_decode", "_is_nullable", "_model", "is_shareable")

    def __init__(self, model: TypeForm[T]) -> None:
        self._model = model
        self._is_nullable = model is None or model is NoneType or NoneType in get_args(model)
        try:
            self._decode = msgspec.json.Decoder(model).decode
        except (TypeError, KeyError) as error:
            raise ConfigurationError(f"{model!r} can't be decoded from JSON: {error}") from error
        self.is_shareable = is_immutable(model)

    def value(self, reply: Reply, call: Call) -> T:
        """Return the typed value of a reply.

        A 404 and an empty success are None where the type allows it. Raises `BadStatus` for any
        status that is no success and `BadPayload` for a body that does not fit.
        """
        if not 200 <= reply.status < 300:
            return self._refused(reply, call)
        if not reply.body and self._is_nullable:
            return None  # type: ignore[return-value]  # the type allows it
        try:
            return self._decode(reply.body)  # type: ignore[no-any-return]  # decoded as the model
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            raise BadPayload(f"the reply does not fit {self._name}: {error}", call=call) from error

    def _refused(self, reply: Reply, call: Call) -> T:
        if reply.status == 404 and self._is_nullable:
            return None  # type: ignore[return-value]  # the type allows it
        raise BadStatus(reply, call=call, detail=problem_detail(reply))

    @property
    def _name(self) -> str:
        return getattr(self._model, "__name__", str(self._model))


def decoding(model: TypeForm[T]) -> Decoding[T]:
    """Return the compiled decoding of a type; types are written in code, so they are few."""
    return _compiled(model)  # type: ignore[arg-type]  # type forms are hashable


@lru_cache(maxsize=4096)
def _compiled(model: Hashable) -> Decoding[Any]:
    return Decoding(model)  # type: ignore[arg-type]  # `decoding` was handed a type form


class _Problem(msgspec.Struct):
    detail: str = ""
    title: str = ""


_decode_problem = msgspec.json.Decoder(_Problem).decode


def problem_detail(reply: Reply) -> str:
    """Return what a problem body (RFC 9457) tells in words, or nothing."""
    if not (reply.header("content-type") or "").startswith("application/problem+json"):
        return ""
    try:
        problem = _decode_problem(reply.body)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""
    return problem.detail or problem.title
