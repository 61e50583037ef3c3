"""Edits the Python files of users: adds an import, and a face to the call of `gateway`."""

import ast
import builtins
import sys
from collections.abc import Iterable, Iterator

from bff_core.cli.scaffold.text_files import NoPlace

LINE_LENGTH = 100
OWN = ("bff_core", "bffs", "mocks", "tests")
"""The packages whose imports stand in the last block."""


def add_view(source: str, module: str, name: str, alias: str, face: str) -> str:
    """Import `name` from `module`, as `alias`, and add `face` to the faces of the gateway.

    Raises `NoPlace` if the file does not call `gateway` with a list of faces.
    """
    return add_import(add_face(source, face), module, name, alias)


def with_own_views(source: str, mine: str, base: str) -> str:
    """Add the views to a generated file that the faces of `mine` have, and those of `base` lack.

    Otherwise a view of the user would be a conflict with each change of the lines beside it.
    """
    try:
        imported = {
            alias.asname or alias.name: (one.module or "", alias.name, alias.asname or "")
            for one in _imports(mine)
            for alias in one.names
        }
        generated = {ast.unparse(face) for face in _faces(base).elts}
        for face in _faces(mine).elts:
            module = face.value if isinstance(face, ast.Attribute) else None
            found = imported.get(module.id) if isinstance(module, ast.Name) else None
            if found and ast.unparse(face) not in generated:
                source = add_view(source, *found, ast.unparse(face))
    except (NoPlace, SyntaxError):
        return source
    return source


def add_face(source: str, face: str) -> str:
    """Add an expression to the list `faces` of the call of `gateway`, unless it is there."""
    faces = _faces(source)
    if face in {ast.unparse(one) for one in faces.elts}:
        return source
    data = source.encode()
    start, end = _span(data, faces)
    elements = [data[slice(*_span(data, one))].decode() for one in faces.elts]
    indent = " " * _indent(data, start)
    line = f"[{', '.join([*elements, face])}]"
    before = data[:start].decode().rpartition("\n")[2]
    if "\n" in data[start:end].decode() or len(before) + len(line) + 1 > LINE_LENGTH:
        line = "".join(
            ["[\n", *(f"{indent}    {one},\n" for one in [*elements, face]), indent, "]"]
        )
    return (data[:start] + line.encode() + data[end:]).decode()


def add_import(source: str, module: str, name: str, alias: str = "") -> str:
    """Add `from module import name`, in the order of isort, unless it is there."""
    found = list(_imports(source))
    wanted = ast.alias(name, alias if alias not in {"", name} else None)
    if any(_key(one)[0] == module and _has_name(one, wanted) for one in found):
        return source
    same = next((one for one in found if one.module == module and not _has_alias(one)), None)
    if same is None or wanted.asname:
        return _inserted(source, found, ast.ImportFrom(module, [wanted], 0))
    names = {(one.name, one.asname) for one in same.names} | {(wanted.name, wanted.asname)}
    merged = ast.ImportFrom(
        module, [ast.alias(*one) for one in sorted(names, key=lambda one: _rank(one[0]))], 0
    )
    data = source.encode()
    start, end = _span(data, same)
    return (data[:start] + _text(merged).encode() + data[end:]).decode()


def free_name(source: str, module: str, name: str, other: str) -> str:
    """Return the name by which a module can import `name`: the `other` one if it would hide one.

    Raises `NoPlace` if the module can't be parsed.
    """
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError as error:
        raise NoPlace(f"it can't be parsed ({error})") from None
    taken = {one.id for one in nodes if isinstance(one, ast.Name) and one.id == name}
    for node in nodes:
        if isinstance(node, ast.Import | ast.ImportFrom):
            same = isinstance(node, ast.ImportFrom) and node.module == module
            names = {one.asname or one.name for one in node.names}
            if same and name in names:
                return name
            taken |= names
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            taken.add(node.name)
    return other if name in taken or hasattr(builtins, name) else name


def import_block(names: Iterable[tuple[str, str]], *plain: str) -> str:
    """Return the imports of names, each a module and a name, in the order of isort.

    `plain` are modules that are imported as a whole.
    """
    modules: dict[str, set[str]] = {}
    for module, name in names:
        modules.setdefault(module, set()).add(name)
    blocks: dict[int, list[str]] = {}
    for module in sorted(plain):
        blocks.setdefault(_block(module), []).append(f"import {module}")
    for module in sorted(modules):
        aliases = [ast.alias(name) for name in sorted(modules[module], key=_rank)]
        statement = _text(ast.ImportFrom(module, aliases, 0))
        blocks.setdefault(_block(module), []).append(statement)
    return "\n\n".join("\n".join(blocks[block]) for block in sorted(blocks))


def _block(module: str) -> int:
    """Return the place of the block of an import: standard library, others, ours."""
    root = module.partition(".")[0]
    return 2 if root in OWN else 0 if root in sys.stdlib_module_names else 1


def _faces(source: str) -> ast.List:
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise NoPlace(f"it can't be parsed ({error})") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "gateway":
            for keyword in node.keywords:
                if keyword.arg == "faces" and isinstance(keyword.value, ast.List):
                    return keyword.value
    raise NoPlace("it has no call of gateway(..., faces=[...])")


def _imports(source: str) -> Iterator[ast.ImportFrom]:
    """Yield the imports at the top of a module that import from our packages."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in OWN:
            yield node


def _inserted(source: str, found: list[ast.ImportFrom], new: ast.ImportFrom) -> str:
    lines = source.splitlines(keepends=True)
    before = [one for one in found if _key(one) < _key(new)]
    if before:
        number = before[-1].end_lineno or 0
    elif found:
        number = found[0].lineno - 1
    else:
        raise NoPlace("it has no import of bff_core")
    return "".join([*lines[:number], f"{_text(new)}\n", *lines[number:]])


def _key(statement: ast.ImportFrom) -> tuple[str, tuple[int, str]]:
    """Return the place of an import among others: imports with an alias stand alone."""
    return statement.module or "", _rank(statement.names[0].name)


def _has_name(statement: ast.ImportFrom, wanted: ast.alias) -> bool:
    return (wanted.name, wanted.asname) in {(one.name, one.asname) for one in statement.names}


def _has_alias(statement: ast.ImportFrom) -> bool:
    return len(statement.names) == 1 and statement.names[0].asname is not None


def _text(statement: ast.ImportFrom) -> str:
    line = ast.unparse(statement)
    if len(line) <= LINE_LENGTH:
        return line
    names = "".join(f"    {ast.unparse(one)},\n" for one in statement.names)
    return f"from {statement.module} import (\n{names})"


def _rank(name: str) -> tuple[int, str]:
    """Return the place of a name among the names of an import: constants, classes, others."""
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, name


def _span(data: bytes, node: ast.expr | ast.stmt) -> tuple[int, int]:
    """Return where a node begins and ends, in bytes."""
    starts = [0]
    for line in data.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
    return starts[node.lineno - 1] + node.col_offset, starts[end_line - 1] + end_column


def _indent(data: bytes, position: int) -> int:
    line = data[:position].rpartition(b"\n")[2]
    return len(line) - len(line.lstrip())
