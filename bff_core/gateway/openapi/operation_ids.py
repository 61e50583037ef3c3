"""Operation ids: the names of functions, unless the user has set others.

1. An operation is called by its function, such as `get_home`.
2. Functions of one name get their first tag, or their module, in front: `orders_list_all`.
3. Where that is not unique either, path and method follow the name, as in FastAPI.
"""

import re
import warnings
from collections import Counter
from collections.abc import Iterable, Sequence

from bff_core.compat.fastapi import has_default_operation_id
from bff_core.gateway.openapi.operation import RestOperation


def name_operations(operations: Sequence[RestOperation]) -> dict[str, str]:
    """Set the ids of operations; return the new names of the schemas of bodies by their old ones.

    An `operation_id=` or a `generate_unique_id_function` of the user's decides instead.
    """
    renamed: dict[str, str] = {}
    unnamed = [one for one in operations if has_default_operation_id(one.context)]
    named = [one for one in operations if not has_default_operation_id(one.context)]
    taken = {one.shown["operationId"] for one in named}
    for name_of in (_by_function, _by_group, _by_path):
        names = [name_of(one) for one in unnamed]
        counted = Counter(names)
        left = []
        for one, name in zip(unnamed, names, strict=True):
            if name_of is not _by_path and (counted[name] > 1 or name in taken):
                left.append(one)
                continue
            renamed[f"Body_{one.context.unique_id}"] = f"Body_{name}"
            one.shown["operationId"] = name
        taken.update(names)
        unnamed = left
    _warn_of_duplicates(one.shown["operationId"] for one in operations)
    return renamed


def _warn_of_duplicates(ids: Iterable[str]) -> None:
    for name, count in Counter(ids).items():
        if count > 1:
            warnings.warn(f"{count} operations have the operation id {name!r}", stacklevel=2)


def _by_function(operation: RestOperation) -> str:
    return _word(operation.context.name or "")


def _by_group(operation: RestOperation) -> str:
    tags = operation.shown.get("tags")
    module = getattr(operation.context.endpoint, "__module__", "")
    return _word(f"{tags[0] if tags else module.rpartition('.')[2]}_{operation.context.name}")


def _by_path(operation: RestOperation) -> str:
    return _word(f"{operation.context.name}{operation.path}_{operation.method.lower()}")


def _word(text: str) -> str:
    return re.sub(r"\W", "_", text)
