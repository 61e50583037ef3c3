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
MORE_KINDS = {"type": "string", "enum": ["cat", "dog", "bird"]}


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
        {"request-property-added-required"},
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
        {f"{PET_FIELDS} kind": MORE_KINDS},
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
    # the same in other places
    Case(
        "deprecated operation removed",
        {ADD: REMOVED},
        {"operation-removed"},
        first={f"{ADD} deprecated": True},
    ),
    Case(
        "path parameter renamed",
        {
            "paths /pets/{id}": REMOVED,
            "paths /pets/{pet}": {
                "get": {
                    "operationId": "pet",
                    "parameters": [
                        {
                            "name": "pet",
                            "in": "path",
                            "required": True,
                            "schema": {"type": "string"},
                        }
                    ],
                    "responses": {
                        "200": {
                            "description": "A pet",
                            "content": {"application/json": {"schema": PET}},
                        }
                    },
                }
            },
        },
        {"path-parameter-renamed"},
        first={"paths /pets/{id} patch": REMOVED},
    ),
    Case(
        "path parameter narrowed",
        {"paths /pets/{id} get parameters 0 schema": {"type": "integer"}},
        {"parameter-type-changed"},
    ),
    Case(
        "items of a parameter narrowed",
        {f"{LIST} parameters 2 schema items enum": ["new", "old"]},
        {"parameter-became-enum"},
    ),
    Case(
        "parameter minimum raised",
        {f"{LIMIT} schema minimum": 5},
        {"parameter-limit-narrowed"},
    ),
    Case(
        "parameter pattern added",
        {f"{LIST} parameters 3 schema pattern": "^[a-z]+$"},
        {"parameter-limit-added"},
    ),
    Case(
        "parameter default added",
        {f"{KIND} schema default": "cat"},
        {"parameter-default-changed"},
    ),
    Case(
        "request length raised from below",
        {f"{DRAFT_FIELDS} name minLength": 3},
        {"request-limit-narrowed"},
    ),
    Case(
        "request pattern removed",
        {f"{DRAFT_FIELDS} code pattern": REMOVED},
        {"request-limit-removed"},
    ),
    Case(
        "request format widened",
        {f"{DRAFT_FIELDS} count format": "int64"},
        {"request-format-widened"},
    ),
    Case(
        "property of a nested request required",
        {f"{DRAFT_FIELDS} box required": ["size"]},
        {"request-property-became-required"},
        first={
            f"{DRAFT_FIELDS} box": {"type": "object", "properties": {"size": {"type": "integer"}}}
        },
    ),
    Case(
        "property of a base schema removed",
        {
            "components schemas Base properties code": REMOVED,
            "components schemas Base required": REMOVED,
        },
        {"response-property-removed"},
        first={
            "components schemas Base": {
                "type": "object",
                "required": ["code"],
                "properties": {"code": {"type": "string"}},
            },
            "paths /pets/{id} get responses 200 content application/json schema": {
                "allOf": [{"$ref": "#/components/schemas/Base"}, PET]
            },
        },
    ),
    Case(
        "property of a nested schema removed",
        {"components schemas Owner properties phone": REMOVED},
        {"response-optional-property-removed"},
    ),
    Case(
        "property write-only",
        {f"{PAGE_BODY} properties next writeOnly": True},
        {"response-optional-property-removed"},
    ),
    Case(
        "whole response changed",
        {f"{PAGE_BODY}": {"type": "array", "items": PET}},
        {"response-type-changed"},
    ),
    Case(
        "values of a map changed",
        {f"{PET_FIELDS} sizes additionalProperties": {"type": "string"}},
        {"response-type-changed"},
        first={
            f"{PET_FIELDS} sizes": {"type": "object", "additionalProperties": {"type": "number"}}
        },
    ),
    Case(
        "header type changed",
        {f"{PAGE} headers X-Total schema type": "string"},
        {"response-header-type-changed"},
    ),
    Case(
        "header added",
        {f"{PAGE} headers X-Page": {"schema": {"type": "integer"}}},
        {"response-header-added"},
    ),
    Case(
        "response minimum lowered",
        {f"{PET_FIELDS} price minimum": 1},
        {"response-limit-widened"},
        first={f"{PET_FIELDS} price minimum": 5},
    ),
    Case(
        "response list grew",
        {f"{PAGE_BODY} properties items maxItems": 200},
        {"response-limit-widened"},
        first={f"{PAGE_BODY} properties items maxItems": 100},
    ),
    Case(
        "response list may be empty",
        {f"{PAGE_BODY} properties items minItems": REMOVED},
        {"response-limit-removed"},
        first={f"{PAGE_BODY} properties items minItems": 1},
    ),
    Case(
        "schema renamed",
        {
            "components schemas Human": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "phone": {"type": "string"}},
            },
            f"{PET_FIELDS} owner": {"$ref": "#/components/schemas/Human"},
            "components schemas Owner": REMOVED,
        },
        set(),
    ),
    Case(
        "schema made inline",
        {
            f"{PET_FIELDS} owner": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}, "phone": {"type": "string"}},
            },
        },
        set(),
    ),
    Case("described differently", {"info description": "New", f"{LIST} summary": "List"}, set()),
]

DIFFERENT_FROM_OASDIFF = {
    "parameter moved": "to oasdiff, one parameter is gone and an optional one is new",
    "parameter default changed": "a request means something else; oasdiff looks at validity only",
    "parameter default added": "the same",
    "request default changed": "the same",
    "parameter explode changed": "oasdiff does not compare styles of parameters",
    "items of a parameter narrowed": "oasdiff takes a new enum for new values of an enum",
    "request object closed": "oasdiff does not compare additionalProperties: false",
    "success status added": "gateways decode each success as the declared type",
    "optional response property removed": "a property that gateways read never comes again",
    "property of a nested schema removed": "the same",
    "property write-only": "the same",
    "optional header removed": "the same of a header",
    "response length widened": "gateways don't check limits of responses; clients of theirs may",
    "response length removed": "the same",
    "response minimum lowered": "the same",
    "response list grew": "the same",
    "response list may be empty": "the same",
    "discriminator value replaced": "a reader does not know the type of a new value",
    "discriminator property changed": "a reader does not find the type of a value",
    "deprecated operation removed": "a gateway that calls it fails, announced or not",
}
"""Cases to which we give another level, each with the reason."""
