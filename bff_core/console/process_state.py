"""What the console stores in a process: actions of people, and sessions that were signed out."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

from bff_core.console.model import EventRow
from bff_core.console.sign_in.operator_session import EndedSessions
from bff_core.gateway.app import Gateway

MAX_ACTIONS: Final = 200
"""Actions of people that a process stores."""

OPERATION: Final = "operation"
"""How ids begin of what operators do to a service or a saga of a gateway."""


def _actions() -> deque[EventRow]:
    return deque(maxlen=MAX_ACTIONS)


@dataclass(slots=True)
class ConsoleState:
    """The state of a process; `ended` are the sessions that were signed out."""

    actions: deque[EventRow] = field(default_factory=_actions)
    ended: EndedSessions = field(default_factory=EndedSessions)


_states: WeakKeyDictionary[Gateway, ConsoleState] = WeakKeyDictionary()


def state_of(gateway: Gateway) -> ConsoleState:
    """Return the state of a gateway in this process."""
    return _states.setdefault(gateway, ConsoleState())
