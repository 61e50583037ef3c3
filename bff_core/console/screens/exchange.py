"""What a console and the gateways' processes send each other about screens."""

from typing import Final

import msgspec

from bff_core.console.model import ClientView, MatrixCell, PlanNode

LIST: Final = "screens.list"
"""The command that returns the screens of a gateway: a list of `ScreenName`."""

PLAN: Final = "screens.plan"
"""The command that returns a `PlanOfGateway` for a `PlanRequest`."""

ANSWERS: Final = "screens.answers"
"""The command that returns `AnswersOfGateway` for an `AnswersRequest`; only in development."""

FIRST_VIEWER: Final = "1"
"""The user whose screens are shown if none is named, where gateways take demo viewers."""


class PlanOfGateway(msgspec.Struct, kw_only=True):
    """A screen as one gateway uses it; the columns of `nodes` are not set.

    `services` are those that the screen needs. `explain` is a command, empty if no view of the
    gateway serves the screen. `views` are how clients read it, `writes` those that may change
    something. `edges` are pairs of parts, the second of which starts when the first one has ended.
    """

    nodes: list[PlanNode] = []
    services: list[str] = []
    explain: str = ""
    views: list[str] = []
    writes: list[str] = []
    edges: list[tuple[str, str]] = []


class PlanRequest(msgspec.Struct, kw_only=True):
    """Which plan to read."""

    screen: str


class AnswersRequest(msgspec.Struct, kw_only=True):
    """Which answers to compute: of a screen for a viewer, while the services `broken` fail.

    `inputs` are values of path and query parameters. With `with_matrix` each service fails in turn.
    """

    screen: str
    viewer: str = ""
    inputs: dict[str, str] = {}
    broken: list[str] = []
    with_matrix: bool = False


class AnswersOfGateway(msgspec.Struct, kw_only=True):
    """What the clients of one gateway get of a screen.

    `edges` are pairs of parts: the second one uses what the first one returned. `cells` are those
    of the matrix, by service; `seconds` is how long each part took.
    """

    clients: list[ClientView] = []
    edges: list[tuple[str, str]] = []
    seconds: dict[str, float] = {}
    cells: dict[str, list[MatrixCell]] = {}
