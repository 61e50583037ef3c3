"""What the answers of a view look like, as a hash: names, types and order of all their fields."""

import json
from hashlib import sha256

from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter

from bff_core.rest.response_model import ResponseModel


def shape_of(model: ResponseModel) -> str:
    """Return the hash of what a view declares that it returns, recursively.

    Two releases share it only if a client could not tell by the form of an answer which of them
    made it. A type that has no schema is known by its name alone.
    """
    by_alias = model.dump.by_alias
    try:
        adapter = TypeAdapter(model.schema)
        schema = json.dumps(adapter.json_schema(mode="serialization", by_alias=by_alias))
    except (PydanticSchemaGenerationError, PydanticUserError):
        schema = repr(model.schema)
    return sha256(f"{schema}{model.dump}".encode()).hexdigest()[:16]
