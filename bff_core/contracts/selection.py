"""Selects operations of an OpenAPI document, with all that they refer to."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

METHODS: Final = frozenset(
    {"get", "put", "post", "delete", "options", "head", "patch", "trace", "query"}
)

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OperationSelection:
    """The operations with one of these tags, or below one of these paths; all if both are empty."""

    tags: Collection[str] = ()
    paths: Collection[str] = ()

    def __bool__(self) -> bool:
        """Whether it selects only some operations."""
        return bool(self.tags or self.paths)

    def includes(self, path: str, operation: Node) -> bool:
        """Whether an operation of a path is selected."""
        tags = operation.get("tags")
        found = {*tags} if isinstance(tags, list) else set()
        below = (path == one or path.startswith(f"{one.rstrip('/')}/") for one in self.paths)
        return not self or bool(found & {*self.tags}) or any(below)


def tags_of(content: Node) -> list[str]:
    """Return the tags that operations of a document have."""
    found = (tag for _, _, one in _operations(content) for tag in one.get("tags") or [])
    return list(dict.fromkeys(str(one) for one in found))


def selected(content: Node, selection: OperationSelection) -> dict[str, Any]:
    """Return a document with the selected operations, and the components that they refer to.

    `content` is the JSON of a document in one piece. A document whose references are not pointers
    has all its schemas.
    """
    if not selection:
        return dict(content)
    paths: dict[str, dict[str, Any]] = {}
    for path, method, operation in _operations(content):
        if selection.includes(path, operation):
            item = content["paths"][path]
            shared = {name: one for name, one in item.items() if name not in METHODS}
            paths.setdefault(path, shared)[method] = operation
    made = {**content, "paths": paths}
    made.pop("webhooks", None)
    _select_paths_referred_to(content, made)
    components = content.get("components")
    if isinstance(components, Mapping):
        made["components"] = _reached(components, made)
    tags = content.get("tags")
    if isinstance(tags, list):
        used = tags_of(made)
        made["tags"] = [one for one in tags if isinstance(one, dict) and one.get("name") in used]
    return made


def _operations(content: Node) -> Iterator[tuple[str, str, Node]]:
    paths = content.get("paths")
    for path, item in paths.items() if isinstance(paths, Mapping) else ():
        for method, operation in item.items() if isinstance(item, Mapping) else ():
            if method in METHODS and isinstance(operation, Mapping):
                yield path, method, operation


def _select_paths_referred_to(content: Node, made: dict[str, Any]) -> None:
    """Add path items that others refer to: `#/paths/~1pets/get/responses/200`."""
    waiting = [*made["paths"].values()]
    while waiting:
        for reference in _references(waiting.pop()):
            steps = reference.split("/")
            path = _unescaped(steps[2]) if reference.startswith("#/paths/") else ""
            if path and path not in made["paths"] and path in content["paths"]:
                made["paths"][path] = content["paths"][path]
                waiting.append(content["paths"][path])


def _reached(components: Node, made: Node) -> dict[str, Any]:
    """Return the components that a document refers to, in their order."""
    schemas = components.get("schemas") or {}
    found = {("securitySchemes", name) for name in _schemes(made)}
    new: Collection[tuple[str, str]] = _named(_references([made["paths"]]), schemas)
    while new := {one for one in new if one not in found and one[1] in components.get(one[0], {})}:
        found |= new
        nodes = [components[kind][name] for kind, name in new]
        new = _named(_references(nodes), schemas) | _variants(schemas, found)
    return {
        kind: {name: one for name, one in values.items() if (kind, name) in found}
        for kind, values in components.items()
        if isinstance(values, Mapping) and any((kind, name) in found for name in values)
    }


def _named(references: Iterator[str], schemas: Node) -> set[tuple[str, str]]:
    """Return the components that references name, each by its kind and name."""
    found: set[tuple[str, str]] = set()
    for one in references:
        steps = one.split("/")
        if one.startswith("#/components/") and len(steps) > 3:
            found.add((steps[2], _unescaped(steps[3])))
        elif one in schemas:  # the value of a discriminator's mapping
            found.add(("schemas", one))
        elif not one.startswith("#/"):  # `$anchor` or `$id`: any schema may have it
            found |= {("schemas", name) for name in schemas}
    return found


def _variants(schemas: Node, found: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the schemas that extend one with a discriminator, which does not name them."""
    parents = {
        f"#/components/schemas/{name}"
        for kind, name in found
        if kind == "schemas"
        and isinstance(schemas[name], Mapping)
        and "discriminator" in schemas[name]
    }
    extended = (
        (name, one.get("allOf")) for name, one in schemas.items() if isinstance(one, Mapping)
    )
    return {
        ("schemas", name)
        for name, parts in extended
        for part in (parts if isinstance(parts, list) else ())
        if isinstance(part, Mapping) and part.get("$ref") in parents
    }


def _schemes(made: Node) -> Iterator[str]:
    """Yield the names of the security schemes that operations, or the document, require."""
    for node in [made, *(one for _, _, one in _operations(made))]:
        for alternative in node.get("security") or []:
            yield from alternative if isinstance(alternative, Mapping) else ()


def _references(node: object) -> Iterator[str]:
    """Yield the references in a piece of a document, those of discriminators included."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, Mapping):
            waiting += one.values()
            yield from (r for key in ("$ref", "$dynamicRef") if isinstance(r := one.get(key), str))
            discriminator = one.get("discriminator")
            mapping = discriminator.get("mapping") if isinstance(discriminator, Mapping) else None
            if isinstance(mapping, Mapping):
                yield from (r for r in mapping.values() if isinstance(r, str))


def _unescaped(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")
