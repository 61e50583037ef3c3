"""Problem details of services (RFC 9457), for contracts that declare their media type only."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceProblem:
    """The members of problem details that RFC 9457 defines; all are optional."""

    type: str = "about:blank"
    title: str = ""
    status: int | None = None
    detail: str = ""
    instance: str = ""
