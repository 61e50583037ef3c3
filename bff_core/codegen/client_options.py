"""`ClientOptions`: what a generated client needs to know beside the OpenAPI document."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientOptions:
    """What the gateway knows of its routes, and how the generated code is to be called.

    The keys of `parts` and `slash_parameters` are names of operations: "GET /v1/home". `parts` are
    the names of the parts of its screens. `slash_parameters` are path parameters whose values may
    contain slashes (`:path`). `command` is the command that generates the code again.
    """

    gateway: str
    command: str = ""
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    slash_parameters: Mapping[str, frozenset[str]] = field(default_factory=dict)
