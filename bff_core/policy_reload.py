"""How a gateway's services are called: by their authors' policies, under an operator's file."""

import asyncio
import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from bff_core.errors import ConfigurationError
from bff_core.events import Events, PoliciesChanged, PoliciesRefused, ReloadSkipped
from bff_core.policy.upstream.overrides import Overrides, differences
from bff_core.upstream.client import Upstream
from bff_core.upstream.registry import Policies, UpstreamRegistry

LARGEST_FILE = 1024 * 1024
"""Bytes: what is larger is no file of policies."""


class PolicyFile:
    """The file that `BFF_POLICIES` names, read anew each time it is asked for.

    Without a path the policies are those in the code.
    """

    def __init__(self, path: str, services: Sequence[type[Upstream]]) -> None:
        self.path = path
        self._services = tuple(services)

    def read(self) -> Policies:
        """Return the policy of each service; raises `ConfigurationError` for what is wrong."""
        overrides = self._overrides()
        return {kind: overrides.over(kind.name, kind.policy) for kind in self._services}

    def _overrides(self) -> Overrides:
        if not self.path:
            return Overrides({}, "")
        overrides = Overrides.parse(self._text(), self.path)
        overrides.check_names({kind.name for kind in self._services})
        return overrides

    def _text(self) -> str:
        try:
            with Path(self.path).open("rb") as file:
                content = file.read(LARGEST_FILE + 1)
            if len(content) > LARGEST_FILE:
                raise ConfigurationError(f"{self.path}: is larger than {LARGEST_FILE:,} bytes")
            return content.decode()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise ConfigurationError(f"BFF_POLICIES: {self.path} can't be read: {reason}") from None


class PolicyReload:
    """Puts the policies of a file into force, at first and whenever it is asked to."""

    def __init__(self, file: PolicyFile, roster: UpstreamRegistry, events: Events) -> None:
        self._file = file
        self._roster = roster
        self._events = events

    def start(self) -> None:
        """Open the services; tells what the file says that the code does not."""
        policies = self._file.read()
        self._roster.adopt(policies)
        self._tell(_compared({kind: kind.policy for kind in policies}, policies))

    def reload(self) -> tuple[str, ...]:
        """Read the file again and return what changed, an option each.

        Raises `ConfigurationError` where anything is wrong; all stays as it was, then.
        """
        before = self._roster.policies
        try:
            policies = self._file.read()
            self._roster.adopt(policies)
        except Exception as error:  # whatever a transport of the user's may raise
            told = error if isinstance(error, ConfigurationError) else ConfigurationError(error)
            if self._events.sinks:
                self._events.emit(PoliciesRefused(str(told)))
            raise told from error
        changes = _compared(before, policies)
        self._tell(changes, is_always=True)
        return changes

    def _tell(self, changes: tuple[str, ...], *, is_always: bool = False) -> None:
        if self._events.sinks and (changes or is_always):
            self._events.emit(PoliciesChanged(changes))

    @contextmanager
    def on_hangup(self) -> Iterator[None]:
        """Read the file again at each SIGHUP, while the context is open.

        Without a file a SIGHUP is logged, unless the application has a handler of its own: by
        default it would end the process. Nothing is done where the loop can't handle signals: in
        a thread.
        """
        if not hasattr(signal, "SIGHUP"):
            yield
            return
        is_free = signal.getsignal(signal.SIGHUP) in {signal.SIG_DFL, signal.SIG_IGN}
        if not self._file.path and not is_free:
            yield
            return
        with _signalled(asyncio.get_running_loop(), self._hang_up):
            yield

    def _hang_up(self) -> None:
        if not self._file.path:
            if self._events.sinks:
                self._events.emit(ReloadSkipped("BFF_POLICIES is not set: nothing to reload"))
            return
        with contextlib.suppress(ConfigurationError):  # it was told as an event
            self.reload()


@contextmanager
def _signalled(loop: asyncio.AbstractEventLoop, act: Callable[[], object]) -> Iterator[None]:
    before = signal.getsignal(signal.SIGHUP)
    try:
        loop.add_signal_handler(signal.SIGHUP, act)
    except (RuntimeError, ValueError, NotImplementedError):
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGHUP)
        signal.signal(signal.SIGHUP, before)


def _compared(before: Policies, after: Policies) -> tuple[str, ...]:
    told = (differences(before[kind], policy, kind.name) for kind, policy in after.items())
    return tuple(chain.from_iterable(told))
