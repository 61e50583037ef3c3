"""Lets views take msgspec Structs as bodies, which FastAPI and pydantic do not know.

pydantic validates the JSON by the `TypedDict` that has the schema of the Struct, so that errors and
OpenAPI are those of any other body; msgspec makes the Struct of it.
"""

from collections.abc import Callable
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
from fastapi import Body
from fastapi.params import Depends
from pydantic import GetCoreSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, to_jsonable_python
from pydantic_core.core_schema import no_info_after_validator_function

from bff_core.rest.struct_schema import has_structs, without_structs


class _AsStruct:
    """Makes Structs of validated JSON; metadata of an annotation, which pydantic reads."""

    def __init__(self, kind: Any) -> None:
        self._kind = kind

    def __get_pydantic_core_schema__(
        self, source: object, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        del source
        schema = handler.generate_schema(without_structs(self._kind))
        return no_info_after_validator_function(self._convert, schema)

    def _convert(self, valid: object) -> object:
        """Return the Struct; msgspec's `ValidationError` is a `ValueError`, hence a 422."""
        return msgspec.convert(to_jsonable_python(valid), self._kind, strict=False)


def accept_structs(endpoint: Callable[..., Any]) -> None:
    """Annotate the parameters of a view that are, or contain, Structs as bodies."""
    for name, hint in get_type_hints(endpoint, include_extras=True).items():
        read = hint if name == "return" else as_input(hint)
        if read is not hint:
            endpoint.__annotations__[name] = read


def as_input(hint: Any) -> Any:
    """Return the annotation of an input; that of a Struct says how its JSON is read."""
    kind, *metadata = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    is_read = any(isinstance(one, _AsStruct | Depends) for one in metadata)
    if is_read or not has_structs(kind):
        return hint
    is_placed = any(isinstance(one, FieldInfo) for one in metadata)
    return Annotated[(kind, _AsStruct(kind), *metadata, *(() if is_placed else (Body(),)))]
