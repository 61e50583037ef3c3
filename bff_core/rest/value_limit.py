"""Limits the number of values in the JSON bodies of views."""

from collections.abc import Callable, Coroutine
from typing import Final

from fastapi import HTTPException, Request

from bff_core.compat.fastapi import Form
from bff_core.edge.json_value_count import count_values
from bff_core.errors import ConfigurationError
from bff_core.rest.signature import ViewInputs

MAX_VALUES: Final = 10_000
"""Values of a body, nested ones included; pydantic takes up to 30 µs for an invalid one."""


def takes_json(inputs: ViewInputs) -> bool:
    """Whether a view or one of its dependencies takes a JSON body."""
    fields = [field for one in inputs.every() for field in one.body_params]
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
