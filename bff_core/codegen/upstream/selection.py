"""Selects the operations of a client by tag, path or id."""

from bff_core.codegen.names import snake
from bff_core.contracts.document import Document, HttpOperation
from bff_core.errors import ConfigurationError


def selected(document: Document, only: tuple[str, ...]) -> list[HttpOperation]:
    """Return the operations that a rule of `only` names; all of them without rules.

    Raises `ConfigurationError` for a rule that names none.
    """
    if not only:
        return list(document.operations)
    for rule in only:
        if not any(_is_named(one, rule) for one in document.operations):
            tags = sorted({tag for one in document.operations for tag in one.tags})
            raise ConfigurationError(
                f"no operation has the tag, path or id {rule!r}; tags: {', '.join(tags) or 'none'}"
            )
    return [one for one in document.operations if any(_is_named(one, rule) for rule in only)]


def _is_named(operation: HttpOperation, rule: str) -> bool:
    if rule.startswith("/"):
        if rule.endswith("*"):
            return operation.path.startswith(rule[:-1])
        return operation.path == rule
    if rule in {operation.id, operation.name}:
        return True
    return any(tag.casefold() == rule.casefold() for tag in operation.tags) or (
        bool(operation.id) and snake(operation.id) == rule
    )
