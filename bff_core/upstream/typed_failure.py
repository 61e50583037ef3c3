"""`TypedFailure`: a failure of a service with the typed body of its reply."""

from typing import Any, ClassVar, Generic, Self, TypeVar, get_args, get_origin

from typing_extensions import get_original_bases

from bff_core.errors import BadStatus

T = TypeVar("T")


class TypedFailure(BadStatus, Generic[T]):
    """A `BadStatus` whose body was decoded as the type of a subclass.

        class OutOfStock(TypedFailure[StockProblem]):
            "409: there are fewer than were ordered."

        class Stock(Upstream):
            fails_with = {409: OutOfStock}

    `body` is the decoded body. Clients get what they get for a `BadStatus`. It is read
    tolerantly, whatever the policy says: a new member of an enum is `UNRECOGNIZED` if the enum has
    that. A reply whose body does not fit even so raises a plain `BadStatus`.
    """

    model: ClassVar[Any] = None
    """The type of the body."""
    body: T

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for base in get_original_bases(cls):
            if get_origin(base) is TypedFailure:
                cls.model = get_args(base)[0]

    @classmethod
    def of(cls, failure: BadStatus, body: T) -> Self:
        """Return the error for a failure, with its body."""
        error = cls.__new__(cls, *failure.args)
        error.__dict__.update(failure.__dict__)
        error.args = failure.args
        error.body = body
        return error
