"""What gateways use of a service's contract: which operations, and which fields of replies."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OperationUse:
    """An operation that screens call, and what the project does with it.

    `path` is the template in the service client; names of its parameters need not be those of the
    contract. `reads` are the paths of the fields of the reply that some code reads, as in
    `Change.field`; None if it can't be decided: then all are used. `sends` are the names of query
    parameters and headers and the paths of body fields that are sent; None if undecided.
    """

    service: str
    method: str
    path: str
    reads: frozenset[tuple[str, ...]] | None
    sends: frozenset[tuple[str, ...]] | None
    views: tuple[str, ...]
    """Each is "mobile: GET /v1/home" or "web: Query.home"."""
