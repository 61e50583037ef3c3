"""Which changes of replies break a client: they can't be decoded, or its own code needs a field."""

from typing import Final

from bff_core.contracts.change import Change
from bff_core.inspection.usage.operation_uses import ReplyUse
from bff_core.inspection.usage.reply_fields import ReplyField

MISSING: Final = frozenset(
    {
        "response-property-removed",
        "response-optional-property-removed",
        "response-property-became-optional",
    }
)
ADDED: Final = "response-property-added"

SELECTED: Final = frozenset({"graphql-field-removed", "graphql-field-type-changed"})
"""Changes of a field that matter to a document which selects it, although no code reads it."""

OTHER_VALUES: Final = frozenset({"response-enum-value-added", "response-enum-opened"})
OTHER_TYPES: Final = frozenset({"response-type-changed", "response-union-option-added"})


def breaks_decoding(change: Change, use: ReplyUse) -> bool:
    """Whether a client fails after a change of a field that its reply type declares.

    It can't decode replies, or its generated code needs a field, such as the cursor of a page.
    """
    if change.place == "type":
        return change.rule in SELECTED and (change.operation, *change.field) in use.selected
    if change.place != "response" or not change.status.startswith("2"):
        return False
    if change.rule == ADDED:
        return change.field[:-1] in use.closed
    if change.rule in MISSING and change.field in use.needed:
        return True
    field = use.declared.get(change.field)  # one within an optional object, which is sent still
    return field is not None and _breaks(change.rule, field)


def _breaks(rule: str, field: ReplyField) -> bool:
    if rule in MISSING:
        return field.is_required
    if rule == "response-became-nullable":
        return not field.allows_null
    if rule in OTHER_VALUES:
        return field.is_closed
    if rule == "response-format-changed":
        return not field.is_text
    return rule in OTHER_TYPES and not field.allows_anything
