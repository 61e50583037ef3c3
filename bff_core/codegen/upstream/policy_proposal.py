"""Proposes the policy of a client: from methods, documented statuses, headers and security."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bff_core.codegen.python_layout import Group, laid_out
from bff_core.codegen.python_text import comment, plain, text_literal
from bff_core.contracts.document import Document, HttpOperation, SecurityScheme
from bff_core.http_statuses import CLIENT_ERROR_TITLES, OF_THE_CALLER, PASSES_THROUGH, RETRYABLE


@dataclass(slots=True)
class PolicyProposal:
    """Comments in prose, the arguments of `Policy`, and the names of `bff_core` that they use."""

    comments: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=lambda: {"Policy"})

    def lines(self) -> list[str]:
        """Return the lines for the body of a class, without their indent."""
        commented = [line[4:] for one in self.comments for line in comment(one, 4)]
        return [
            *commented,
            *(x[4:] for x in laid_out(Group("policy = Policy(", self.arguments), 4)),
        ]


def proposed_policy(
    document: Document,
    operations: Sequence[HttpOperation],
    service: str,
    *,
    reads_enums: bool = False,
) -> PolicyProposal:
    """Return the proposed policy. What no contract says is a comment: who shares replies, secrets.

    Retries need no option of their own for 429, 500, 502, 503 and 504: they are the default.
    """
    made = PolicyProposal()
    _keys(operations, made)
    _cache(operations, made)
    _retries(operations, made)
    if reads_enums:
        made.comments.append(
            "A reply with a new member of an enum is BadPayload, and clients get 502; "
            'reading="tolerant" makes it UNRECOGNIZED.'
        )
    made.comments += _credentials(document, operations, service)
    made.comments += _passed_through(operations)
    return made


def _keys(operations: Sequence[HttpOperation], made: PolicyProposal) -> None:
    writes = [one for one in operations if one.method in {"POST", "PATCH"}]
    unkeyed = [one for one in writes if not _has_key(one)]
    if writes and len(unkeyed) == len(writes):
        made.arguments.append("keyed=False")
        made.comments.append(
            "The contract has no header Idempotency-Key, so POST and PATCH are not retried."
        )
    elif unkeyed:
        names = ", ".join(plain(one.name) for one in unkeyed[:10])
        more = f" and {len(unkeyed) - 10} more" if len(unkeyed) > 10 else ""
        made.comments.append(
            f"The contract has no header Idempotency-Key for {names}{more}. Give those a client "
            "class of their own with keyed=False if the service ignores the key."
        )


def _has_key(operation: HttpOperation) -> bool:
    return any(
        one.place == "header" and one.name.lower() == "idempotency-key"
        for one in operation.parameters
    )


def _cache(operations: Sequence[HttpOperation], made: PolicyProposal) -> None:
    """Propose a cache if some read documents validators, freshness or 304."""
    for operation in operations:
        names = {one.name.lower() for each in operation.responses for one in each.headers}
        has_304 = any(one.status == "304" for one in operation.responses)
        if operation.method == "GET" and (
            has_304 or names & {"etag", "cache-control", "last-modified", "expires"}
        ):
            made.names.add("Cache")
            made.arguments.append("cache=Cache()")
            made.comments.append(
                "The service's headers decide how long replies are stored, for each viewer alone; "
                "public=True shares them, if they are the same for everybody."
            )
            return
    made.comments.append("If replies are the same for everybody, public=True shares calls.")


def _retries(operations: Sequence[HttpOperation], made: PolicyProposal) -> None:
    """Propose to retry further statuses that the contract documents with a Retry-After."""
    documented = {
        int(response.status)
        for operation in operations
        for response in operation.responses
        if response.status.isdigit()
        and any(one.name.lower() == "retry-after" for one in response.headers)
    }
    further = {one for one in documented - RETRYABLE if 400 <= one <= 599}
    if further:
        statuses = ", ".join(map(str, sorted(RETRYABLE | further)))
        made.names.add("Retry")
        made.arguments.append(f"retry=Retry(statuses=frozenset({{{statuses}}}))")


def _credentials(
    document: Document, operations: Sequence[HttpOperation], service: str
) -> Iterator[str]:
    """Yield comments that propose credentials: which of them is right, no contract says."""
    used = {name for one in operations for each in one.security or () for name in each}
    proposals: dict[str, list[str]] = {}
    for name in sorted(used):
        scheme = document.security_schemes.get(name)
        if scheme is not None:
            proposals.setdefault(_of_scheme(scheme, service), []).append(plain(scheme.name))
    for text, names in proposals.items():
        yield f"Security {', '.join(names)}: {text}."


def _of_scheme(scheme: SecurityScheme, service: str) -> str:
    secret = text_literal(service)
    if scheme.kind == "apiKey" and scheme.place == "header":
        header = text_literal(plain(scheme.parameter))
        return f"add credentials=ApiKey(secret={secret}, header={header})"
    if scheme.kind == "apiKey":
        place = plain(scheme.place)
        return f"the key is in the {place} {plain(scheme.parameter)}, where methods have to send it"
    if scheme.kind == "http" and scheme.scheme.lower() == "basic":
        return f"add credentials=Basic(username=..., secret={secret})"
    if scheme.kind == "mutualTLS":
        return "add connection=Connection(client_cert=...)"
    return (
        "add credentials=Relay() for the viewer's own token, or "
        f"credentials=ClientCredentials(client_id=..., secret={secret}) for the gateway's"
    )


def _passed_through(operations: Sequence[HttpOperation]) -> Iterator[str]:
    """Yield a comment with the documented 4xx that clients do not get by default."""
    statuses = {
        int(response.status)
        for operation in operations
        for response in operation.responses
        if response.status.isdigit() and int(response.status) in CLIENT_ERROR_TITLES
    }
    further = sorted(statuses - PASSES_THROUGH - OF_THE_CALLER)
    noun, which = "statuses", "those that their input causes"
    if len(further) == 1:
        noun, which = "status", "it, if their input causes it,"
    if further:
        yield (
            f"Clients get 502 for the {noun} {', '.join(map(str, further))} of the service. "
            f"Add {which} to passes_through."
        )
