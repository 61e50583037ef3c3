"""Policy reload: a policy file overrides the policies in the code, also while the gateway runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from bff_core.errors import ConfigurationError
from bff_core.events import Events, PoliciesChanged, PoliciesRefused
from bff_core.policy.upstream.overrides import Overrides, differences
from bff_core.upstream.client import Upstream
from bff_core.upstream.registry import BuiltStacks, Policies, UpstreamRegistry

MAX_FILE_BYTES = 1024 * 1024
"""The largest policy file; a larger file is probably another one."""


class PolicyFile:
    """The policy file (`BFF_POLICIES`), which each `read` opens again.

    Without a path, the policies in the code apply.
    """

    def __init__(self, path: str, services: Sequence[type[Upstream]]) -> None:
        self.path = path
        self._services = tuple(services)

    def of(self, services: Sequence[type[Upstream]]) -> "PolicyFile":
        """Return the same file for other services."""
        return PolicyFile(self.path, services)

    @property
    def services(self) -> Sequence[type[Upstream]]:
        """The services that it may have policies for."""
        return self._services

    def read(self) -> Policies:
        """Return the policy of each service; raises `ConfigurationError` for a wrong file."""
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
                content = file.read(MAX_FILE_BYTES + 1)
            if len(content) > MAX_FILE_BYTES:
                raise ConfigurationError(f"{self.path}: is larger than {MAX_FILE_BYTES:,} bytes")
            return content.decode()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise ConfigurationError(f"BFF_POLICIES: {self.path} can't be read: {reason}") from None


class PolicyReload:
    """Applies the policies of a file to the services of a running gateway."""

    def __init__(self, file: PolicyFile, upstreams: UpstreamRegistry, events: Events) -> None:
        self._file = file
        self._upstreams = upstreams
        self._events = events

    def start(self) -> None:
        """Open the services, and report the options in which the file differs from the code."""
        policies = self._file.read()
        self._upstreams.adopt(policies)
        changes = _compared({kind: kind.policy for kind in policies}, policies)
        if changes:
            self._report(changes)

    def reload(self) -> tuple[str, ...]:
        """Read the file again, and return the options that changed.

        Raises `ConfigurationError` for a wrong file, and then changes nothing.
        """
        prepared = self.prepare()
        prepared.switch()
        return prepared.changes

    def prepare(self, services: Sequence[type[Upstream]] | None = None) -> "PreparedPolicies":
        """Read the file and open what it changes; requests notice nothing until the switch.

        `services` replace those that there are. Raises `ConfigurationError` for a wrong file.
        """
        before = self._upstreams.policies
        file = self._file if services is None else self._file.of(services)
        try:
            policies = file.read()
            built = self._upstreams.build(policies)
        except Exception as error:  # a transport of the user's may raise any error
            refused = error if isinstance(error, ConfigurationError) else ConfigurationError(error)
            if self._events.sinks:
                self._events.emit(PoliciesRefused(str(refused)))
            raise refused from error
        return PreparedPolicies(self, file, built, _compared(before, policies))

    @property
    def services(self) -> Sequence[type[Upstream]]:
        """The services whose policies are reloaded."""
        return self._file.services

    def put(self, prepared: "PreparedPolicies") -> None:
        """Let new requests use prepared policies, and report what changed."""
        self._file = prepared.file
        self._upstreams.put(prepared.built)
        self._report(prepared.changes)

    def discard(self, prepared: "PreparedPolicies") -> None:
        """Close what was opened for prepared policies."""
        self._upstreams.discard(prepared.built)

    def _report(self, changes: tuple[str, ...]) -> None:
        if self._events.sinks:
            self._events.emit(PoliciesChanged(changes))


@dataclass(frozen=True, slots=True)
class PreparedPolicies:
    """Policies that were read and opened: `switch` to them, or `discard` them."""

    reload: PolicyReload
    file: PolicyFile
    built: BuiltStacks
    changes: tuple[str, ...]

    def switch(self) -> None:
        """Let new requests use them; requests under way end with those before."""
        self.reload.put(self)

    def discard(self) -> None:
        """Close what was opened for them."""
        self.reload.discard(self)


def _compared(before: Policies, after: Policies) -> tuple[str, ...]:
    changes = (
        differences(before.get(kind, kind.policy), policy, kind.name)
        for kind, policy in after.items()
    )
    return tuple(chain.from_iterable(changes))
