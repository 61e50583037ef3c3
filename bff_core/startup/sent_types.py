"""Refuses types that the gateway fills from each request where a client could send them."""

from bff_core.compat.fastapi import Dependant, all_dependants, inputs_read_by, type_adapter_of
from bff_core.compat.pydantic import classes_in
from bff_core.errors import ConfigurationError
from bff_core.scope import Wired


def check_sent_types(root: Dependant, where: str) -> None:
    """Raise `ConfigurationError` if a client could send a viewer, also as a field of a body.

    Looks at the classes that pydantic makes of the inputs of a function and of its dependencies.
    """
    for dependant in all_dependants(root):
        for field in inputs_read_by(dependant):
            for kind in sorted(classes_in(type_adapter_of(field)), key=lambda one: one.__name__):
                if issubclass(kind, Wired):
                    raise _refused(f"{where}: {field.name}", field.field_info.annotation, kind)


def _refused(where: str, declared: object, kind: type[Wired]) -> ConfigurationError:
    verb, name = ("is" if declared is kind else "contains"), kind.__name__
    return ConfigurationError(
        f"{where} {verb} a {name}, so that any client could send it: leave it out, and take the "
        f"{name} of the request as a parameter of a view, or as a field of a Composition"
    )
