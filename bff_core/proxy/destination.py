"""The upstream that a route names, in the gateway that serves a request."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches

from starlette.types import Scope as ASGIScope

from bff_core.composition.wiring import Wiring
from bff_core.errors import ConfigurationError
from bff_core.policy.upstream.cache import Cache
from bff_core.proxy.route import Route
from bff_core.routing.wiring import wiring_of
from bff_core.upstream.client import Upstream

Named = type[Upstream] | str
"""An upstream by its class or by its name."""


class Destination:
    """One upstream, which is looked up once for each run of the gateway."""

    __slots__ = ("_named", "_service", "_wiring")

    def __init__(self, named: Named) -> None:
        self._named = named
        self._wiring: Wiring | None = None
        self._service: Upstream | None = None

    def of(self, scope: ASGIScope) -> Upstream:
        """Return the client of the upstream, not bound to a request."""
        return self.among(wiring_of(scope))

    def among(self, wiring: Wiring | None) -> Upstream:
        """Return the client of the upstream in a gateway that runs."""
        if wiring is None:
            raise ConfigurationError(f"the gateway of the upstream {self._named!r} does not run")
        if wiring is self._wiring and self._service is not None:
            return self._service
        return self.resolve(wiring)

    def resolve(self, wiring: Wiring) -> Upstream:
        """Look it up now, so that it is known after it has left the gateway."""
        self._service, self._wiring = _found(self._named, wiring), wiring
        return self._service


def _found(named: Named, wiring: Wiring) -> Upstream:
    for service in wiring.services:
        is_named = getattr(service, "name", "") == named or type(service) is named
        if is_named and isinstance(service, Upstream):
            return service
    raise ConfigurationError(f"the gateway has no upstream {named!r}")


def named_by(route: Route) -> Iterator[tuple[str, Named]]:
    """Yield the upstreams that a route names, each with the option that names it."""
    if route.to is not None:
        yield "to", route.to
    if route.files is not None and route.files.fallback_from is not None:
        yield "files.fallback_from", route.files.fallback_from
    splits = route.split if isinstance(route.split, tuple) else (route.split,)
    for number, split in enumerate(splits):
        yield f"split[{number}].to", split.to
    if route.mirror is not None:
        yield "mirror.to", route.mirror.to


def services_of(routes: Iterable[Route], known: Sequence[type[Upstream]]) -> list[type[Upstream]]:
    """Return the upstreams that routes name; `known` are those that the gateway has anyway.

    Raises `ConfigurationError` for a name that no upstream has.
    """
    named = [(route, *one) for route in routes for one in named_by(route)]
    classes = [one for _, _, one in named if not isinstance(one, str)]
    by_name = {kind.name: kind for kind in [*known, *classes]}
    found = []
    for route, option, one in named:
        where = f"Route({route.id!r})"
        kind = _by_name(one, by_name, f"{where}.{option}") if isinstance(one, str) else one
        if option == "to" and isinstance(route.cache, Cache) and kind.policy.cache is None:
            raise ConfigurationError(
                f"{where}.cache needs an upstream that stores replies: give {kind.__name__} a "
                "Policy(cache=Cache())"
            )
        found.append(kind)
    return found


def _by_name(name: str, by_name: dict[str, type[Upstream]], where: str) -> type[Upstream]:
    found = by_name.get(name)
    if found is not None:
        return found
    near = get_close_matches(name, by_name, 1, cutoff=0.5)
    known = f"the gateway has {', '.join(sorted(by_name))}" if by_name else "the gateway has none"
    hint = f"did you mean {near[0]!r}?" if near else f"{known}; add it to gateway(services=[...])"
    raise ConfigurationError(f"{where} = {name!r} is no upstream: {hint}")
