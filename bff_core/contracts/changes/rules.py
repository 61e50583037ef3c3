"""The rules of contract changes: what each kind of change is called, and how severe it is.

What narrows the values that a service accepts breaks clients that send them; what widens the
values that it returns breaks clients that read them. So most kinds of change have two rules.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from bff_core.contracts.change import Level

Flow = Literal["parameter", "request", "response", "response-header"]
"""Where values of a type go: parameters and requests are sent, the others are received."""

SENT: Final = frozenset({"parameter", "request"})


@dataclass(frozen=True, slots=True)
class ChangeRule:
    """A kind of change: its level, and what it means for a client."""

    level: Level
    meaning: str


_OPERATIONS: Final[Mapping[str, ChangeRule]] = {
    "operation-removed": ChangeRule("breaking", "The service has no such operation any more."),
    "operation-added": ChangeRule("info", "The service has a new operation."),
    "operation-deprecated": ChangeRule("info", "The operation works, and will be removed."),
    "operation-reactivated": ChangeRule("info", "The operation is no longer deprecated."),
    "operation-id-changed": ChangeRule("info", "Generated clients name the method differently."),
    "path-parameter-renamed": ChangeRule("info", "The address is the same for clients."),
    "server-added": ChangeRule("info", "The service has a new address."),
    "server-removed": ChangeRule("info", "The contract no longer lists an address."),
    "security-added": ChangeRule("breaking", "An open operation requires credentials."),
    "security-removed": ChangeRule("info", "The operation requires no credentials any more."),
    "security-scheme-removed": ChangeRule(
        "breaking", "A way of authentication is no longer accepted."
    ),
    "security-scheme-added": ChangeRule("info", "Another way of authentication is accepted."),
    "security-scope-added": ChangeRule("breaking", "Tokens need one more scope."),
    "security-scope-removed": ChangeRule("info", "Tokens need one scope less."),
}

_PARAMETERS: Final[Mapping[str, ChangeRule]] = {
    "parameter-added-required": ChangeRule("breaking", "Requests without it are refused."),
    "parameter-added-optional": ChangeRule("info", "Clients may send one more parameter."),
    "parameter-removed": ChangeRule("warning", "The service ignores the parameter or refuses it."),
    "parameter-moved": ChangeRule("breaking", "The service reads the parameter elsewhere."),
    "parameter-became-required": ChangeRule("breaking", "Requests without it are refused."),
    "parameter-became-optional": ChangeRule("info", "Clients may leave the parameter out."),
    "parameter-deprecated": ChangeRule("info", "The parameter works, and will be removed."),
    "parameter-default-changed": ChangeRule(
        "warning", "Requests that leave the parameter out mean something else."
    ),
    "parameter-style-changed": ChangeRule("breaking", "Lists or objects are written differently."),
    "parameter-media-type-changed": ChangeRule("breaking", "The value is encoded differently."),
}

_BODIES: Final[Mapping[str, ChangeRule]] = {
    "request-body-added-required": ChangeRule("breaking", "Requests need a body now."),
    "request-body-added-optional": ChangeRule("info", "Requests may have a body."),
    "request-body-removed": ChangeRule("breaking", "The service ignores the body or refuses it."),
    "request-body-became-required": ChangeRule("breaking", "Requests without a body are refused."),
    "request-body-became-optional": ChangeRule("info", "Clients may leave the body out."),
    "request-media-type-removed": ChangeRule(
        "breaking", "The service refuses bodies of this media type."
    ),
    "request-media-type-added": ChangeRule("info", "The service accepts another media type."),
    "response-status-removed": ChangeRule(
        "breaking", "A success has another status, and perhaps another body."
    ),
    "response-status-added": ChangeRule(
        "warning", "A success may have another status, and perhaps another body."
    ),
    "response-error-status-removed": ChangeRule("info", "An error is no longer returned."),
    "response-error-status-added": ChangeRule("info", "The service may return another error."),
    "response-media-type-removed": ChangeRule(
        "breaking", "Bodies of this media type are no longer returned."
    ),
    "response-media-type-added": ChangeRule("info", "Clients may accept another media type."),
    "response-header-removed": ChangeRule("breaking", "A header is no longer returned."),
    "response-optional-header-removed": ChangeRule(
        "warning", "A header that was returned sometimes no longer is."
    ),
    "response-header-added": ChangeRule("info", "The service returns another header."),
    "response-header-became-optional": ChangeRule("breaking", "The header may be missing."),
    "response-header-became-required": ChangeRule("info", "The header is always returned."),
    "response-header-deprecated": ChangeRule("info", "The header will be removed."),
}

_SENT: Final[Mapping[str, ChangeRule]] = {
    "type-changed": ChangeRule("breaking", "Values of the old type are refused."),
    "type-widened": ChangeRule("info", "More values are accepted."),
    "format-changed": ChangeRule("breaking", "Values of the old format may be refused."),
    "format-widened": ChangeRule("info", "Values of more formats are accepted."),
    "became-enum": ChangeRule("breaking", "Only the listed values are accepted."),
    "enum-opened": ChangeRule("info", "All values of the type are accepted."),
    "enum-value-removed": ChangeRule("breaking", "The value is refused."),
    "enum-value-added": ChangeRule("info", "Another value is accepted."),
    "limit-narrowed": ChangeRule("breaking", "Values that were within the limit are refused."),
    "limit-added": ChangeRule("breaking", "Values beyond the new limit are refused."),
    "limit-widened": ChangeRule("info", "More values are within the limit."),
    "limit-removed": ChangeRule("info", "Values have one limit less."),
    "pattern-changed": ChangeRule("warning", "Values that matched the old pattern may not match."),
    "became-nullable": ChangeRule("info", "Null is accepted."),
    "became-not-nullable": ChangeRule("breaking", "Null is refused."),
    "property-added-required": ChangeRule("breaking", "Bodies without the property are refused."),
    "property-added-optional": ChangeRule("info", "Clients may send one more property."),
    "property-removed": ChangeRule("warning", "The service ignores the property or refuses it."),
    "property-became-required": ChangeRule("breaking", "Bodies without the property are refused."),
    "property-became-optional": ChangeRule("info", "Clients may leave the property out."),
    "property-deprecated": ChangeRule("info", "The property works, and will be removed."),
    "property-default-changed": ChangeRule(
        "warning", "Bodies that leave the property out mean something else."
    ),
    "additional-properties-forbidden": ChangeRule(
        "breaking", "Properties that the contract does not name are refused."
    ),
    "additional-properties-allowed": ChangeRule(
        "info", "Properties that the contract does not name are accepted."
    ),
    "union-option-removed": ChangeRule("breaking", "One of the types is refused."),
    "union-option-added": ChangeRule("info", "Another type is accepted."),
    "discriminator-changed": ChangeRule("breaking", "Another property or value names the type."),
    "discriminator-value-removed": ChangeRule("breaking", "A name of a type is refused."),
    "discriminator-value-added": ChangeRule("info", "A type has another name."),
}

_RECEIVED: Final[Mapping[str, ChangeRule]] = {
    "type-changed": ChangeRule("breaking", "Values may have a type that clients can't read."),
    "type-narrowed": ChangeRule("info", "Fewer values are returned."),
    "format-changed": ChangeRule("breaking", "Values may have a format that clients can't read."),
    "format-narrowed": ChangeRule("info", "Values have a more exact format."),
    "became-enum": ChangeRule("info", "Only the listed values are returned."),
    "enum-opened": ChangeRule("breaking", "Values that were not listed may be returned."),
    "enum-value-removed": ChangeRule("info", "The value is no longer returned."),
    "enum-value-added": ChangeRule("breaking", "A reader that accepts listed values only fails."),
    "limit-narrowed": ChangeRule("info", "Values are within a closer limit."),
    "limit-added": ChangeRule("info", "Values have one limit more."),
    "limit-widened": ChangeRule("warning", "A reader that relies on the limit fails."),
    "limit-removed": ChangeRule("warning", "A reader that relies on the limit fails."),
    "pattern-changed": ChangeRule("info", "Values look different."),
    "became-nullable": ChangeRule("breaking", "A reader that does not expect null fails."),
    "became-not-nullable": ChangeRule("info", "Null is no longer returned."),
    "property-added": ChangeRule("info", "The service returns another property."),
    "property-removed": ChangeRule("breaking", "A property is no longer returned."),
    "optional-property-removed": ChangeRule(
        "warning", "A property that was returned sometimes no longer is."
    ),
    "property-became-required": ChangeRule("info", "The property is always returned."),
    "property-became-optional": ChangeRule("breaking", "The property may be missing."),
    "property-deprecated": ChangeRule("info", "The property will be removed."),
    "additional-properties-forbidden": ChangeRule(
        "info", "Properties that the contract does not name are no longer returned."
    ),
    "additional-properties-allowed": ChangeRule(
        "info", "Properties that the contract does not name may be returned."
    ),
    "union-option-removed": ChangeRule("info", "One of the types is no longer returned."),
    "union-option-added": ChangeRule("breaking", "A reader that knows the other types only fails."),
    "discriminator-changed": ChangeRule("breaking", "Another property or value names the type."),
    "discriminator-value-removed": ChangeRule("info", "A name of a type is no longer returned."),
    "discriminator-value-added": ChangeRule(
        "breaking", "A reader does not know the new name of a type."
    ),
}

OPENAPI_RULES: Final[Mapping[str, ChangeRule]] = {
    **_OPERATIONS,
    **_PARAMETERS,
    **{f"parameter-{kind}": rule for kind, rule in _SENT.items()},
    **_BODIES,
    **{f"request-{kind}": rule for kind, rule in _SENT.items()},
    **{f"response-{kind}": rule for kind, rule in _RECEIVED.items()},
    **{f"response-header-{kind}": rule for kind, rule in _RECEIVED.items()},
}
"""Each rule of OpenAPI documents by its name."""
