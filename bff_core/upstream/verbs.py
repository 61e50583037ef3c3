"""The signatures of verbs that write, and the arguments that all verbs of a client share."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from inspect import signature
from typing import Final, Protocol, TypeVar, cast, overload

from typing_extensions import TypeForm

from bff_core.parameter_values import Scalar
from bff_core.upstream.caller import NO_TRANSLATIONS
from bff_core.upstream.error_mapping import FailsWith
from bff_core.upstream.request_bodies import NO_BODY, Content, Files, Form
from bff_core.upstream.request_headers import Fields
from bff_core.upstream.request_target import Query

T = TypeVar("T")

Values = Mapping[str, Scalar]
"""Path parameters by name, for names that a keyword can't have: `{"timeout": 3}`."""

NO_VALUES: Final[Values] = {}

ABSENT: Final = object()
"""In place of a third argument: the second one is the type then."""


# Path parameters have free names. A TypedDict with Unpack can't declare them beside the options:
# type checkers would need the extra items of PEP 728, which mypy does not have yet.
class Write(Protocol):
    """A verb that writes: a path, the values of its parameters, the type of the reply."""

    @overload
    def __call__(
        self,
        path: str,
        model: TypeForm[T],
        /,
        *,
        json: object = NO_BODY,
        form: Form | None = None,
        files: Files | None = None,
        content: Content | None = None,
        query: Query | None = None,
        headers: Fields | None = None,
        purges: Sequence[str] = (),
        fails_with: FailsWith = NO_TRANSLATIONS,
        **parameters: Scalar,
    ) -> Coroutine[object, object, T]: ...
    @overload
    def __call__(
        self,
        path: str,
        values: Values,
        model: TypeForm[T],
        /,
        *,
        json: object = NO_BODY,
        form: Form | None = None,
        files: Files | None = None,
        content: Content | None = None,
        query: Query | None = None,
        headers: Fields | None = None,
        purges: Sequence[str] = (),
        fails_with: FailsWith = NO_TRANSLATIONS,
        **parameters: Scalar,
    ) -> Coroutine[object, object, T]: ...


def verb(method: str, write: Callable[..., Coroutine[object, object, object]]) -> Write:
    """Return `write` for one HTTP method; type checkers and editors see the options of `Write`."""

    def verb(self: object, /, *args: object, **options: object) -> object:
        return write(self, method, *args, **options)

    verb.__name__ = method.lower()
    verb.__qualname__ = f"Upstream.{verb.__name__}"
    verb.__doc__ = write.__doc__
    declared = signature(write)
    itself, _, *others = declared.parameters.values()
    verb.__signature__ = declared.replace(parameters=[itself, *others])  # type: ignore[attr-defined]  # for help()
    return cast("Write", verb)


def together(path: str, values: object, keywords: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Return the path parameters of a mapping and of keywords; raise `TypeError` for one twice."""
    if not isinstance(values, Mapping):
        raise TypeError(
            f"path {path!r}: the second of three arguments holds the values of path parameters, "
            f'as in {{"id": user_id}}, not {values!r}'
        )
    if twice := values.keys() & keywords.keys():
        raise TypeError(f"path {path!r}: {min(twice)} is given twice, by mapping and by keyword")
    return {**values, **keywords}
