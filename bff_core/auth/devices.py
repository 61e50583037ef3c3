"""Which devices somebody is signed in on, by the tokens they send; each can be ended."""

import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final, Protocol

import msgspec

from bff_core.auth.authenticator import Resources
from bff_core.auth.viewer import Viewer
from bff_core.call import find_header
from bff_core.clock import Clock
from bff_core.errors import ConfigurationError, NotAuthenticated, StoreUnavailable
from bff_core.redis.interface import RedisInterface
from bff_core.scope import Scope

DAY: Final = 86_400.0

BELIEVED: Final = 1.0
"""Seconds for which a device is taken for alive without asking a shared store."""

SELDOM: Final = 60.0
"""Seconds between two notes that a device was seen."""

MOST_DEVICES: Final = 100
"""Devices that one person may have; the one that was seen longest ago goes."""

MOST_PEOPLE: Final = 50_000

LONGEST_NAME: Final = 200

REFUSAL: Final = "The access token is not valid."


@dataclass(frozen=True, slots=True)
class Device:
    """One device of one person; times are Unix times. One that `has_ended` is remembered so."""

    id: str
    client: str
    name: str
    first_seen_at: float
    last_seen_at: float
    has_ended: bool = False


class DeviceStore(Protocol):
    """Keeps the devices of people, by a name that tells nobody who they are."""

    async def find(self, owner: str, device: str, /) -> Device | None:
        """Return one."""
        ...

    async def put(self, owner: str, device: Device, /) -> None:
        """Keep one."""
        ...

    async def listed(self, owner: str, /) -> Sequence[Device]:
        """Return all of one person's."""
        ...


class MemoryDevices:
    """Devices as one process has seen them."""

    def __init__(self) -> None:
        self._people: OrderedDict[str, dict[str, Device]] = OrderedDict()

    async def find(self, owner: str, device: str) -> Device | None:
        """Return one."""
        return self._people.get(owner, {}).get(device)

    async def put(self, owner: str, device: Device) -> None:
        """Keep one."""
        theirs = self._people.setdefault(owner, {})
        theirs[device.id] = device
        self._people.move_to_end(owner)
        if len(theirs) > MOST_DEVICES:
            del theirs[min(theirs.values(), key=lambda one: one.last_seen_at).id]
        if len(self._people) > MOST_PEOPLE:
            self._people.popitem(last=False)

    async def listed(self, owner: str) -> Sequence[Device]:
        """Return all of one person's."""
        return tuple(self._people.get(owner, {}).values())


PUT: Final = """
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[4]) then
  local oldest, at
  local told = redis.call('HGETALL', KEYS[1])
  for i = 1, #told, 2 do
    local seen = cjson.decode(told[i + 1])['last_seen_at']
    if not at or seen < at then oldest, at = told[i], seen end
  end
  redis.call('HDEL', KEYS[1], oldest)
end
"""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Device).decode


class RedisDevices:
    """Devices as all processes have seen them."""

    def __init__(self, link: RedisInterface, lifetime: float) -> None:
        self._link = link
        self._lifetime = int(lifetime * 1000)

    async def find(self, owner: str, device: str) -> Device | None:
        """Return one."""
        told = await self._link.run("HGET", _key(owner), device)
        return self._read(told) if isinstance(told, bytes) else None

    async def put(self, owner: str, device: Device) -> None:
        """Keep one."""
        args: list[str | bytes | int | float] = [
            device.id,
            _encode(device),
            self._lifetime,
            MOST_DEVICES,
        ]
        await self._link.script(PUT, [_key(owner)], args)

    async def listed(self, owner: str) -> Sequence[Device]:
        """Return all of one person's."""
        told = await self._link.run("HVALS", _key(owner))
        return [self._read(one) for one in told] if isinstance(told, list) else []

    def _read(self, stored: bytes) -> Device:
        """Return a device; one that can't be read may have been ended, so it is not let in."""
        try:
            return _decode(stored)
        except msgspec.DecodeError as error:
            raise StoreUnavailable(self._link.name, "holds what is no device") from error


def _key(owner: str) -> str:
    return f"bff:devices:{owner}"


class DeviceSessions:
    """Knows each device by its tokens: by their `sid`, else by their key, else by their client.

    One that was ended is refused, like any token that is not valid, until it has not been seen for
    `lifetime` seconds, which has to be longer than tokens can be refreshed. Kept in memory, or
    where `BFF_SESSION_URL` says; what another process has ended is heard within a second.
    """

    def __init__(self, *, lifetime: float = 30 * DAY, wall: Clock = time.time) -> None:
        if lifetime < DAY:
            raise ConfigurationError("DeviceSessions: lifetime is a day at least, in seconds")
        self._lifetime = lifetime
        self._wall = wall
        self._store: DeviceStore | None = None
        self._resources: Resources | None = None
        self._alive: OrderedDict[tuple[str, str], float] = OrderedDict()

    def open(self, link: RedisInterface | None, resources: Resources) -> None:
        """Use a store while the gateway runs."""
        self._resources = resources
        self._store = MemoryDevices() if link is None else RedisDevices(link, self._lifetime)
        self._alive.clear()

    async def admit(self, scope: Scope, viewer: Viewer, device: str) -> None:
        """Take note of a device; raises `NotAuthenticated` for one that was ended."""
        owner, name = owner_of(viewer), id_of(device)
        resources, now = self._running(), self._running().clock()
        until = self._alive.get((owner, name))
        if until is not None and now < until:
            return
        known = await self._opened().find(owner, name)
        if known is not None and known.has_ended:
            raise NotAuthenticated(REFUSAL, reason="device_ended")
        wall = self._wall()
        if known is None:
            await self._opened().put(owner, _seen(scope, viewer, name, wall))
        elif wall - known.last_seen_at >= SELDOM:
            resources.spawn(self._note(owner, replace(known, last_seen_at=wall)))
        self._alive[owner, name] = now + BELIEVED
        self._alive.move_to_end((owner, name))
        if len(self._alive) > MOST_PEOPLE:
            self._alive.popitem(last=False)

    async def listed(self, viewer: Viewer) -> Sequence[Device]:
        """Return the devices that somebody is signed in on, the last one seen first."""
        found = await self._opened().listed(owner_of(viewer))
        alive = [device for device in found if not device.has_ended]
        return sorted(alive, key=lambda one: one.last_seen_at, reverse=True)

    async def end(self, viewer: Viewer, device_id: str) -> bool:
        """Refuse the tokens of a device from now on; whether it was one of theirs."""
        owner = owner_of(viewer)
        known = await self._opened().find(owner, device_id)
        if known is None or known.has_ended:
            return False
        await self._opened().put(owner, replace(known, has_ended=True))
        self._alive.pop((owner, device_id), None)
        return True

    async def _note(self, owner: str, device: Device) -> None:
        try:
            known = await self._opened().find(owner, device.id)
            if known is None or not known.has_ended:
                await self._opened().put(owner, device)
        except StoreUnavailable:
            return  # it will be seen again

    def _running(self) -> Resources:
        if self._resources is None:
            raise ConfigurationError("devices are known while the gateway runs")
        return self._resources

    def _opened(self) -> DeviceStore:
        if self._store is None:
            raise ConfigurationError("devices are known while the gateway runs")
        return self._store


def _seen(scope: Scope, viewer: Viewer, name: str, wall: float) -> Device:
    agent = (find_header(scope.headers, b"user-agent") or b"").decode("latin-1")
    return Device(name, viewer.client, agent[:LONGEST_NAME], wall, wall)


def owner_of(viewer: Viewer) -> str:
    """Return the name that a person's devices are kept under."""
    return sha256(f"device {viewer.identity}".encode()).hexdigest()[:32]


def id_of(device: str) -> str:
    """Return how a device is called where it is listed."""
    return sha256(f"device {device}".encode()).hexdigest()[:16]
