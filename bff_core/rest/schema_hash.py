"""Hashes the schema of a view's answers: names, types and order of all fields."""

import json
from hashlib import sha256

from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter

from bff_core.rest.response_model import ResponseModel


def schema_hash(model: ResponseModel) -> str:
    """Return a hash of a view's declared type, with the types of its fields.

    Two releases have the same hash only if their answers have the same schema. A type without a
    schema is hashed by its name.
    """
    by_alias = model.dump.by_alias
    try:
        adapter = TypeAdapter(model.schema)
        schema = json.dumps(adapter.json_schema(mode="serialization", by_alias=by_alias))
    except (PydanticSchemaGenerationError, PydanticUserError):
        schema = repr(model.schema)
    return sha256(f"{schema}{model.dump}".encode()).hexdigest()[:16]
