"""Changes of a contract: each with our rules, and what oasdiff v1.37.0 says of the same pair."""

from dataclasses import dataclass, field
from typing import Any

from tests.contracts.changes.shop import PET, REMOVED

LIST = "paths /pets get"
ADD = "paths /pets post"
PAGE = f"{LIST} responses 200"
PAGE_BODY = f"{PAGE} content application/json schema"
LIMIT = f"{LIST} parameters 0"
KIND = f"{LIST} parameters 1"
PET_FIELDS = "components schemas Pet properties"
DRAFT = "components schemas Draft"
DRAFT_FIELDS = f"{DRAFT} properties"
VISITOR = "components schemas Visitor"
EXPIRED = {"type": "string", "enum": ["cat", "dog", "bird"]}


@dataclass(frozen=True)
class Case:
    """A change: edits of the shop that make its document, after those that make the one before."""

    name: str
    edits: dict[str, Any]
    rules: set[str]
    first: dict[str, Any] = field(default_factory=dict)


CASES = [
    # operations
    Case("path removed", {"paths /visits": REMOVED}, {"operation-removed"}),
    Case("method removed", {ADD: REMOVED}, {"operation-removed"}),
    Case(
        "method added",
        {"paths /pets/{id} delete": {"responses": {"204": {"description": "Gone"}}}},
        {"operation-added"},
    ),
    Case("operation deprecated", {f"{LIST} deprecated": True}, {"operation-deprecated"}),
    Case(
        "operation reactivated",
        {f"{LIST} deprecated": REMOVED},
        {"operation-reactivated"},
        first={f"{LIST} deprecated": True},
    ),
    Case("operation id changed", {f"{LIST} operationId": "pets"}, {"operation-id-changed"}),
    # parameters
    Case(
        "required parameter added",
        {
            f"{LIST} parameters 4": {
                "name": "city",
                "in": "query",
                "required": True,
                "schema": {"type": "string"},
            }
        },
        {"parameter-added-required"},
    ),
    Case(
        "optional parameter added",
        {
            f"{LIST} parameters 4": {
                "name": "city",
                "in": "query",
                "schema": {"type": "string"},
            }
        },
        {"parameter-added-optional"},
    ),
    Case("parameter removed", {f"{LIST} parameters 2": REMOVED}, {"parameter-removed"}),
    Case("parameter moved", {f"{LIST} parameters 2 in": "header"}, {"parameter-moved"}),
    Case("parameter became required", {f"{KIND} required": True}, {"parameter-became-required"}),
    Case(
        "parameter became optional",
        {f"{LIST} parameters 3 required": False},
        {"parameter-became-optional"},
    ),
    Case("parameter deprecated", {f"{KIND} deprecated": True}, {"parameter-deprecated"}),
    Case(
        "parameter type changed",
        {f"{LIMIT} schema type": "boolean"},
        {"parameter-type-changed"},
        first={f"{LIMIT} schema": {"type": "integer"}},
    ),
    Case("parameter type widened", {f"{LIMIT} schema type": "number"}, {"parameter-type-widened"}),
    Case(
        "parameter enum narrowed",
        {f"{KIND} schema enum": ["cat"]},
        {"parameter-enum-value-removed"},
    ),
    Case(
        "parameter enum widened",
        {f"{KIND} schema enum": ["cat", "dog", "bird"]},
        {"parameter-enum-value-added"},
    ),
    Case(
        "parameter became enum",
        {f"{LIST} parameters 3 schema enum": ["north", "south"]},
        {"parameter-became-enum"},
    ),
    Case(
        "parameter maximum lowered", {f"{LIMIT} schema maximum": 50}, {"parameter-limit-narrowed"}
    ),
    Case("parameter maximum raised", {f"{LIMIT} schema maximum": 200}, {"parameter-limit-widened"}),
    Case(
        "parameter maximum removed",
        {f"{LIMIT} schema maximum": REMOVED},
        {"parameter-limit-removed"},
    ),
    Case(
        "parameter limit added",
        {f"{LIST} parameters 3 schema maxLength": 9},
        {"parameter-limit-added"},
    ),
    Case(
        "parameter default changed",
        {f"{LIMIT} schema default": 10},
        {"parameter-default-changed"},
    ),
    Case(
        "parameter explode changed",
        {f"{LIST} parameters 2 explode": False},
        {"parameter-style-changed"},
    ),
    # bodies of requests
    Case(
        "required body added",
        {
            f"{LIST} requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"type": "string"}}},
            }
        },
        {"request-body-added-required"},
    ),
    Case(
        "optional body added",
        {
            f"{LIST} requestBody": {
                "content": {"application/json": {"schema": {"type": "string"}}},
            }
        },
        {"request-body-added-optional"},
    ),
    Case(
        "body became required",
        {"paths /pets/{id} patch requestBody required": True},
        {"request-body-became-required"},
    ),
    Case(
        "body became optional",
        {f"{ADD} requestBody required": False},
        {"request-body-became-optional"},
    ),
    Case("body removed", {f"{ADD} requestBody": REMOVED}, {"request-body-removed"}),
    Case(
        "request media type removed",
        {f"{ADD} requestBody content application/xml": REMOVED},
        {"request-media-type-removed"},
    ),
    Case(
        "request media type added",
        {f"{ADD} requestBody content text/plain": {"schema": {"type": "string"}}},
        {"request-media-type-added"},
    ),
    Case(
        "required request property added",
        {f"{DRAFT_FIELDS} city": {"type": "string"}, f"{DRAFT} required": ["name", "city"]},
        {"request-property-added-required"},
    ),
    Case(
        "required request property with default added",
        {
            f"{DRAFT_FIELDS} city": {"type": "string", "default": "Rome"},
            f"{DRAFT} required": ["name", "city"],
        },
        {"request-property-added-with-default"},
    ),
    Case(
        "optional request property added",
        {f"{DRAFT_FIELDS} city": {"type": "string"}},
        {"request-property-added-optional"},
    ),
    Case(
        "request property removed", {f"{DRAFT_FIELDS} code": REMOVED}, {"request-property-removed"}
    ),
    Case(
        "request property became required",
        {f"{DRAFT} required": ["name", "code"]},
        {"request-property-became-required"},
    ),
    Case(
        "request property became optional",
        {f"{DRAFT} required": REMOVED},
        {"request-property-became-optional"},
    ),
    Case(
        "request property read-only",
        {f"{DRAFT_FIELDS} code readOnly": True},
        {"request-property-removed"},
    ),
    Case(
        "request property type changed",
        {f"{DRAFT_FIELDS} name": {"type": "integer"}},
        {"request-type-changed"},
    ),
    Case(
        "request property type widened",
        {f"{DRAFT_FIELDS} count": {"type": "number"}},
        {"request-type-widened"},
    ),
    Case(
        "request property format changed",
        {f"{DRAFT_FIELDS} note format": "uuid"},
        {"request-format-changed"},
    ),
    Case(
        "request enum narrowed",
        {f"{DRAFT_FIELDS} kind enum": ["cat"]},
        {"request-enum-value-removed"},
    ),
    Case(
        "request enum widened",
        {f"{DRAFT_FIELDS} kind enum": ["cat", "dog", "bird"]},
        {"request-enum-value-added"},
    ),
    Case(
        "request enum opened",
        {f"{DRAFT_FIELDS} kind enum": REMOVED},
        {"request-enum-opened"},
    ),
    Case(
        "request length narrowed",
        {f"{DRAFT_FIELDS} name maxLength": 20},
        {"request-limit-narrowed"},
    ),
    Case(
        "request length widened",
        {f"{DRAFT_FIELDS} name maxLength": 80},
        {"request-limit-widened"},
    ),
    Case(
        "request limit added",
        {f"{DRAFT_FIELDS} price maximum": 900},
        {"request-limit-added"},
    ),
    Case(
        "request pattern changed",
        {f"{DRAFT_FIELDS} code pattern": "^[A-Z]+$"},
        {"request-pattern-changed"},
    ),
    Case(
        "request property no longer nullable",
        {f"{DRAFT_FIELDS} note nullable": False},
        {"request-became-not-nullable"},
    ),
    Case(
        "request property became nullable",
        {f"{DRAFT_FIELDS} name nullable": True},
        {"request-became-nullable"},
    ),
    Case(
        "request default changed",
        {f"{DRAFT_FIELDS} price default": 2},
        {"request-property-default-changed"},
    ),
    Case(
        "request object closed",
        {f"{DRAFT} additionalProperties": False},
        {"request-additional-properties-forbidden"},
    ),
    Case(
        "type of request map changed",
        {f"{DRAFT_FIELDS} attributes additionalProperties": {"type": "integer"}},
        {"request-type-changed"},
    ),
    # responses
    Case(
        "success status removed",
        {f"{PAGE}": REMOVED},
        {"response-status-removed"},
    ),
    Case(
        "success status added",
        {f"{LIST} responses 204": {"description": "Empty"}},
        {"response-status-added"},
    ),
    Case(
        "error status removed",
        {f"{LIST} responses 404": REMOVED},
        {"response-error-status-removed"},
    ),
    Case(
        "error status added",
        {f"{LIST} responses 429": {"description": "Too many"}},
        {"response-error-status-added"},
    ),
    Case(
        "response media type removed",
        {f"{PAGE} content text/csv": REMOVED},
        {"response-media-type-removed"},
    ),
    Case(
        "response media type added",
        {f"{PAGE} content text/plain": {"schema": {"type": "string"}}},
        {"response-media-type-added"},
    ),
    Case(
        "required response property removed",
        {f"{PAGE_BODY} properties items": REMOVED, f"{PAGE_BODY} required": REMOVED},
        {"response-property-removed"},
    ),
    Case(
        "optional response property removed",
        {f"{PAGE_BODY} properties next": REMOVED},
        {"response-optional-property-removed"},
    ),
    Case(
        "response property added",
        {f"{PAGE_BODY} properties total": {"type": "integer"}},
        {"response-property-added"},
    ),
    Case(
        "response property became optional",
        {f"{PAGE_BODY} required": REMOVED},
        {"response-property-became-optional"},
    ),
    Case(
        "response property became required",
        {f"{PAGE_BODY} required": ["items", "next"]},
        {"response-property-became-required"},
    ),
    Case(
        "response property became nullable",
        {f"{PAGE_BODY} properties next nullable": True},
        {"response-became-nullable"},
    ),
    Case(
        "response property no longer nullable",
        {f"{PET_FIELDS} note": {"type": "string"}},
        {"response-became-not-nullable"},
    ),
    Case(
        "response property type changed",
        {f"{PET_FIELDS} price": {"type": "string"}},
        {"response-type-changed"},
    ),
    Case(
        "response property type widened",
        {f"{PET_FIELDS} age": {"type": "number"}},
        {"response-type-changed"},
    ),
    Case(
        "response property type narrowed",
        {f"{PET_FIELDS} price": {"type": "integer"}},
        {"response-type-narrowed"},
    ),
    Case(
        "response format changed",
        {f"{PET_FIELDS} born format": "date"},
        {"response-format-changed"},
    ),
    Case(
        "response format added",
        {f"{PET_FIELDS} id format": "uuid"},
        {"response-format-narrowed"},
    ),
    Case(
        "response enum value added",
        {f"{PET_FIELDS} kind": EXPIRED},
        {"response-enum-value-added"},
    ),
    Case(
        "response enum value removed",
        {f"{PET_FIELDS} kind enum": ["cat"]},
        {"response-enum-value-removed"},
    ),
    Case(
        "response enum opened",
        {f"{PET_FIELDS} kind enum": REMOVED},
        {"response-enum-opened"},
    ),
    Case(
        "response length widened",
        {f"{PET_FIELDS} name maxLength": 90},
        {"response-limit-widened"},
    ),
    Case(
        "response length removed",
        {f"{PET_FIELDS} name maxLength": REMOVED},
        {"response-limit-removed"},
    ),
    Case(
        "response length narrowed",
        {f"{PET_FIELDS} name maxLength": 20},
        {"response-limit-narrowed"},
    ),
    Case(
        "response list became object",
        {f"{PAGE_BODY} properties items": PET},
        {"response-type-changed"},
    ),
    Case(
        "response property deprecated",
        {f"{PET_FIELDS} name deprecated": True},
        {"response-property-deprecated"},
    ),
    Case(
        "required header removed",
        {f"{PAGE} headers X-Total": REMOVED},
        {"response-header-removed"},
    ),
    Case(
        "optional header removed",
        {f"{PAGE} headers Link": REMOVED},
        {"response-optional-header-removed"},
    ),
    Case(
        "header became optional",
        {f"{PAGE} headers X-Total required": False},
        {"response-header-became-optional"},
    ),
    Case(
        "union option added",
        {
            f"{VISITOR} oneOf 2": {"$ref": "#/components/schemas/Owner"},
            f"{VISITOR} discriminator mapping owner": "#/components/schemas/Owner",
        },
        {"response-union-option-added", "request-union-option-added"},
    ),
    Case(
        "union option removed",
        {
            f"{VISITOR} oneOf 1": REMOVED,
            f"{VISITOR} discriminator mapping guest": REMOVED,
        },
        {"response-union-option-removed", "request-union-option-removed"},
    ),
    Case(
        "discriminator value replaced",
        {
            f"{VISITOR} discriminator mapping guest": REMOVED,
            f"{VISITOR} discriminator mapping visitor": "#/components/schemas/Guest",
        },
        {
            "response-discriminator-value-removed",
            "response-discriminator-value-added",
            "request-discriminator-value-removed",
            "request-discriminator-value-added",
        },
    ),
    Case(
        "discriminator property changed",
        {f"{VISITOR} discriminator propertyName": "kind"},
        {"response-discriminator-changed", "request-discriminator-changed"},
    ),
    # security and servers
    Case(
        "scheme replaced",
        {f"{ADD} security": [{"key": []}]},
        {"security-scheme-removed", "security-scheme-added"},
    ),
    Case(
        "scheme added as an alternative",
        {f"{ADD} security": [{"token": ["read"]}, {"key": []}]},
        {"security-scheme-added"},
    ),
    Case(
        "scope added",
        {f"{ADD} security": [{"token": ["read", "write"]}]},
        {"security-scope-added"},
    ),
    Case(
        "scope removed",
        {f"{ADD} security": [{"token": []}]},
        {"security-scope-removed"},
    ),
    Case(
        "open operation closed",
        {f"{ADD} security": [{"token": ["read"]}]},
        {"security-added"},
        first={f"{ADD} security": []},
    ),
    Case("operation opened", {f"{ADD} security": []}, {"security-removed"}),
    Case(
        "server replaced",
        {"servers 0 url": "https://api.example.org/v1"},
        {"server-removed", "server-added"},
    ),
]
