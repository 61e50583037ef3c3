"""Plans errors.py: an exception for each status that the contract documents as a failure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from bff_core.codegen.names import pascal
from bff_core.codegen.python_text import docstring, exploded, sentence
from bff_core.codegen.upstream.annotation_imports import names_in, standard_imports
from bff_core.codegen.upstream.bodies import is_json
from bff_core.codegen.upstream.model_types import ModelTypes
from bff_core.codegen.upstream.plans import PythonType
from bff_core.contracts.document import HttpOperation, Response
from bff_core.contracts.types import Anything, Type, Union

PROBLEM: Final = "application/problem+json"

_RANGES: Final = {
    "4XX": ("ClientFailureError", "range(400, 500)", "any other 4xx"),
    "5XX": ("ServerFailureError", "range(500, 600)", "any other 5xx"),
    "default": ("UnexpectedError", "range(400, 600)", "any other failure"),
}

_NAMES: Final = {
    413: "ContentTooLargeError",
    414: "UriTooLongError",
    416: "RangeNotSatisfiableError",
    418: "TeapotError",
    422: "UnprocessableContentError",
}
"""Names that differ between versions of Python's `HTTPStatus`."""


@dataclass(frozen=True, slots=True)
class FailurePlan:
    """An exception. `key` is the status, or the expression of several."""

    name: str
    key: str
    type: PythonType
    description: str
    is_range: bool


def failure_plans(operations: Sequence[HttpOperation], types: ModelTypes) -> list[FailurePlan]:
    """Return the exceptions for all documented failures, one a status."""
    by_status: dict[str, list[Response]] = {}
    for operation in operations:
        has_success = any(one.status.startswith("2") for one in operation.responses)
        for response in operation.responses:
            status = response.status if response.status == "default" else response.status.upper()
            if _is_failure(status, has_success=has_success):
                by_status.setdefault(status, []).append(response)
    return [_plan(status, by_status[status], types) for status in sorted(by_status)]


def _is_failure(status: str, *, has_success: bool) -> bool:
    if status == "default":
        return has_success
    return status in _RANGES or (status.isdigit() and 400 <= int(status) <= 599)


def _plan(status: str, responses: Sequence[Response], types: ModelTypes) -> FailurePlan:
    is_range = status in _RANGES
    name, key, about = _RANGES[status] if is_range else (error_name(status), status, status)
    sentences = [sentence(one.description) for one in responses]
    common = (
        sentences[0]
        if len(set(sentences)) == 1 and sentences[0]
        else f"The service answered {about}."
    )
    text = (
        common if common.startswith("The service answered") else f"{about.capitalize()}: {common}"
    )
    return FailurePlan(name, key, _body(responses, types, name), text, is_range)


def error_name(status: str) -> str:
    """Return the name of the exception for a status: `NotFoundError`."""
    number = int(status)
    if number in _NAMES:
        return _NAMES[number]
    try:
        phrase = HTTPStatus(number).phrase
    except ValueError:
        return f"Status{number}Error"
    name = pascal(phrase)
    return name if name.endswith("Error") else f"{name}Error"


def _body(responses: Iterable[Response], types: ModelTypes, name: str) -> PythonType:
    """Return the type of the bodies of a status; None if it documents none in JSON."""
    bodies: list[Type] = []
    is_problem = False
    for response in responses:
        for content in response.contents:
            if not is_json(content.media_type):
                continue
            is_untyped = isinstance(content.type, Anything)
            if is_untyped and content.media_type.lower().startswith(PROBLEM):
                is_problem = True
            elif content.type not in bodies:
                bodies.append(content.type)
    if is_problem and all(isinstance(one, Anything) for one in bodies):
        return PythonType("ServiceProblem", "object")
    bodies = [one for one in bodies if not isinstance(one, Anything)] or bodies
    if not bodies:
        return PythonType("None", "null")
    kind = bodies[0] if len(bodies) == 1 else Union(tuple(bodies))
    return types.shape(kind, "read", f"{name}Body")


def error_source(plans: Sequence[FailurePlan], top: list[str], package: str) -> str:
    """Return the text of errors.py."""
    own = any("models." in one.type.elsewhere() for one in plans)
    names = ["TypedFailure"]
    if any(one.type.text == "ServiceProblem" for one in plans):
        names.insert(0, "ServiceProblem")
    used = names_in("\n".join(one.type.elsewhere() for one in plans))
    lines = [*top, "", *standard_imports(used)]
    lines.append(f"from bff_core.service_clients import {', '.join(names)}")
    if own:
        lines.append(f"from {package} import models")
    for one in plans:
        head = exploded(f"class {one.name}(", [f"TypedFailure[{one.type.elsewhere()}]"], "):", 0)
        lines += ["", "", *head, *docstring(one.description, 4)]
    return "\n".join(lines) + "\n"
