"""What is generated, before it is text: classes, their fields, enums, unions, methods."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class FieldCode:
    """An attribute of a class; `key` is its name in JSON, `default` an expression or empty."""

    attribute: str
    key: str
    annotation: str
    default: str = ""
    description: str = ""


@dataclass(slots=True)
class ClassCode:
    """A class of an object; `tag` is its `__typename` in a union, or empty."""

    name: str
    description: str
    fields: list[FieldCode] = field(default_factory=list)
    tag: str = ""
    is_input: bool = False


@dataclass(frozen=True, slots=True)
class MemberCode:
    """A member of an enum."""

    name: str
    value: str
    description: str = ""


@dataclass(slots=True)
class EnumCode:
    """An enum; one that is read has a member in place of those that the schema lacks."""

    name: str
    description: str
    members: list[MemberCode]
    is_read: bool = False


@dataclass(frozen=True, slots=True)
class AliasCode:
    """A union of classes."""

    name: str
    description: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VariableCode:
    """A parameter of a method; `name` is that of the variable in the document."""

    parameter: str
    name: str
    annotation: str
    is_required: bool


@dataclass(frozen=True, slots=True)
class PageCode:
    """A connection: the attributes from the data to it, each with whether it may be None.

    `variable` is the one that takes the cursor. `item` is the type of the nodes. The rest say
    which members the connection has, and which may be None.
    """

    path: tuple[tuple[str, bool], ...]
    variable: str
    item: str
    items: str
    items_may_be_none: bool
    item_may_be_none: bool
    node: str
    node_may_be_none: bool
    info: str
    info_may_be_none: bool
    has_next: str
    cursor: str


@dataclass(frozen=True, slots=True)
class BatchCode:
    """A query of many keys: its list variable, the field with the items, their key."""

    variable: str
    key_type: str
    field: str
    field_may_be_none: bool
    item: str
    item_may_be_none: bool
    key: str


@dataclass(frozen=True, slots=True)
class MethodCode:
    """An operation: its method, the constant with its document, the type of its data."""

    method: str
    constant: str
    kind: str
    name: str
    document: str
    data: str
    description: str
    variables: tuple[VariableCode, ...]
    page: PageCode | None = None
    batch: BatchCode | None = None
