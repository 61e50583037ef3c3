"""Limits the number of values in the JSON bodies of views."""

from collections.abc import Callable, Coroutine, Sequence
from inspect import Signature
from itertools import chain
from typing import Final

from fastapi import HTTPException, Request

from bff_core.compat.fastapi import Depends, Form, all_dependants
from bff_core.compat.starlette import compile_path
from bff_core.edge.json_value_count import count_values
from bff_core.errors import ConfigurationError
from bff_core.rest.signature import dependant_of_call, dependant_with

MAX_VALUES: Final = 10_000
"""Values of a body, nested ones included; pydantic takes up to 30 µs for an invalid one."""


def takes_json(path: str, signature: Signature, dependencies: Sequence[Depends]) -> bool:
    """Whether a view or one of its dependencies takes a JSON body."""
    template, calls = compile_path(path)[1], (one.dependency for one in dependencies)
    roots = [dependant_of_call(call, template) for call in calls if call is not None]
    roots.append(dependant_with(signature, template))
    found = chain.from_iterable(map(all_dependants, roots))
    fields = [field for one in found for field in one.body_params]
    return bool(fields) and not any(isinstance(one.field_info, Form) for one in fields)


def values_limited(most: object) -> Callable[[Request], Coroutine[object, object, None]]:
    """Return a dependency that refuses a body of more than `most` JSON values with 413."""
    if type(most) is not int or most < 1:
        raise ConfigurationError(f"max_values={most!r} of a view: give a whole number from 1 up")

    async def check(request: Request) -> None:
        body = await request.body()
        found = 0 if len(body) <= most else count_values(body, most)
        if found > most:
            raise HTTPException(413, f"The body has {found:,} values; at most {most:,} are taken.")

    return check
