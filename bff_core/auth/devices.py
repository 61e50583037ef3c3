"""Device sessions: lists the devices on which a viewer uses bearer tokens, and ends them."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final, Protocol

import msgspec
from cachetools import FIFOCache

from bff_core.auth.refusal_reasons import REFUSAL
from bff_core.auth.viewer import Viewer
from bff_core.clock import Clock
from bff_core.errors import ConfigurationError, NotAuthenticated, StoreUnavailable
from bff_core.keywords import checks_keywords
from bff_core.redis.interface import RedisInterface
from bff_core.scope import Scope
from bff_core.upstream.runtime import Spawn

DAY_SECONDS: Final = 86_400.0

RECHECK_SECONDS: Final = 1.0
"""Seconds after which a device is looked up in the store again."""

LAST_SEEN_UPDATE_SECONDS: Final = 60.0
"""Seconds between two updates of `last_seen_at`."""

MAX_DEVICES_PER_VIEWER: Final = 100
"""Devices of one viewer; one more drops the device with the oldest `last_seen_at`."""

MAX_VIEWERS: Final = 50_000

MAX_NAME_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class Device:
    """One device of one viewer; times are Unix times. The store holds ended devices too."""

    id: str
    client: str
    name: str
    first_seen_at: float
    last_seen_at: float
    has_ended: bool = False


class DeviceStore(Protocol):
    """Stores devices by owner, a digest of the viewer's identity."""

    async def find(self, owner: str, device: str, /) -> Device | None:
        """Return a device of an owner; None if it is unknown."""
        ...

    async def put(self, owner: str, device: Device, /) -> None:
        """Store a device, in place of the one with its id."""
        ...

    async def listed(self, owner: str, /) -> Sequence[Device]:
        """Return all devices of an owner, ended ones too."""
        ...


class MemoryDeviceStore:
    """Stores devices in the memory of one process."""

    def __init__(self) -> None:
        self._by_owner: FIFOCache[str, dict[str, Device]] = FIFOCache(MAX_VIEWERS)

    async def find(self, owner: str, device: str) -> Device | None:
        """Return a device of an owner; None if it is unknown."""
        return self._by_owner.get(owner, {}).get(device)

    async def put(self, owner: str, device: Device) -> None:
        """Store a device, in place of the one with its id."""
        devices = self._by_owner.get(owner, {})
        devices[device.id] = device
        self._by_owner[owner] = devices
        if len(devices) > MAX_DEVICES_PER_VIEWER:
            del devices[min(devices.values(), key=lambda one: one.last_seen_at).id]

    async def listed(self, owner: str) -> Sequence[Device]:
        """Return all devices of an owner, ended ones too."""
        return tuple(self._by_owner.get(owner, {}).values())


PUT: Final = """
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[4]) then
  local oldest, at
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    local last = cjson.decode(all[i + 1])['last_seen_at']
    if not at or last < at then oldest, at = all[i], last end
  end
  redis.call('HDEL', KEYS[1], oldest)
end
"""

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Device).decode


class RedisDeviceStore:
    """Stores devices in Redis, for all processes of a gateway."""

    def __init__(self, link: RedisInterface, lifetime: float) -> None:
        self._link = link
        self._lifetime = int(lifetime * 1000)

    async def find(self, owner: str, device: str) -> Device | None:
        """Return a device of an owner; None if it is unknown."""
        reply = await self._link.run("HGET", _key(owner), device)
        return self._read(reply) if isinstance(reply, bytes) else None

    async def put(self, owner: str, device: Device) -> None:
        """Store a device, in place of the one with its id."""
        args = device.id, _encode(device), self._lifetime, MAX_DEVICES_PER_VIEWER
        await self._link.script(PUT, [_key(owner)], args)

    async def listed(self, owner: str) -> Sequence[Device]:
        """Return all devices of an owner, ended ones too."""
        reply = await self._link.run("HVALS", _key(owner))
        return [self._read(one) for one in reply] if isinstance(reply, list) else []

    def _read(self, stored: bytes) -> Device:
        """Decode a device; raise `StoreUnavailable` if that fails, since it may have ended."""
        try:
            return _decode(stored)
        except msgspec.DecodeError as error:
            raise StoreUnavailable(self._link.name, "holds a value that is no device") from error


def _key(owner: str) -> str:
    return f"bff:devices:{owner}"


@checks_keywords
@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceSessions:
    """Options of device sessions, with which a viewer lists and ends the devices of its tokens.

    A device is recognized by the `sid` of its tokens, else by their key, else by their client.
    Tokens of an ended device are refused as invalid. A device is forgotten `lifetime` seconds
    after its last request, which has to be longer than its tokens can be refreshed. Devices are
    stored in memory, or at `BFF_SESSION_URL`; another process refuses an ended device within a
    second.
    """

    lifetime: float = 30 * DAY_SECONDS
    wall: Clock = time.time

    def __post_init__(self) -> None:
        if self.lifetime < DAY_SECONDS:
            raise ConfigurationError(
                "DeviceSessions: lifetime has to be at least one day (in seconds)"
            )

    def start(self, link: RedisInterface | None, *, spawn: Spawn, clock: Clock) -> "ActiveDevices":
        """Return the devices in Redis, or in memory if there is no connection to Redis."""
        store = MemoryDeviceStore() if link is None else RedisDeviceStore(link, self.lifetime)
        return ActiveDevices(store, spawn=spawn, clock=clock, wall=self.wall)


class ActiveDevices:
    """Records, lists and ends the devices of a running gateway."""

    def __init__(self, store: DeviceStore, *, spawn: Spawn, clock: Clock, wall: Clock) -> None:
        self._store = store
        self._spawn = spawn
        self._clock = clock
        self._wall = wall
        self._alive: FIFOCache[tuple[str, str], float] = FIFOCache(MAX_VIEWERS)

    async def admit(self, scope: Scope, viewer: Viewer, device: str) -> None:
        """Record a request of a device; raise `NotAuthenticated` for a device that has ended."""
        owner, name, now = owner_of(viewer), id_of(device), self._clock()
        until = self._alive.get((owner, name))
        if until is not None and now < until:
            return
        stored = await self._store.find(owner, name)
        if stored is not None and stored.has_ended:
            raise NotAuthenticated(REFUSAL, reason="device_ended")
        wall = self._wall()
        if stored is None:
            await self._store.put(owner, _new_device(scope, viewer, name, wall))
        elif wall - stored.last_seen_at >= LAST_SEEN_UPDATE_SECONDS:
            self._spawn(self._update(owner, replace(stored, last_seen_at=wall)))
        self._alive[owner, name] = now + RECHECK_SECONDS

    async def listed(self, viewer: Viewer) -> Sequence[Device]:
        """Return the devices on which a viewer is signed in, the most recent first."""
        found = await self._store.listed(owner_of(viewer))
        alive = [device for device in found if not device.has_ended]
        return sorted(alive, key=lambda one: one.last_seen_at, reverse=True)

    async def end(self, viewer: Viewer, device_id: str) -> bool:
        """End a device, so that its tokens are refused; return whether the viewer has it."""
        owner = owner_of(viewer)
        stored = await self._store.find(owner, device_id)
        if stored is None or stored.has_ended:
            return False
        await self._store.put(owner, replace(stored, has_ended=True))
        self._alive.pop((owner, device_id), None)
        return True

    async def _update(self, owner: str, device: Device) -> None:
        try:
            stored = await self._store.find(owner, device.id)
            if stored is None or not stored.has_ended:
                await self._store.put(owner, device)
        except StoreUnavailable:
            return  # a later request updates it


def _new_device(scope: Scope, viewer: Viewer, name: str, wall: float) -> Device:
    agent = (scope.field(b"user-agent") or b"").decode("latin-1")
    return Device(name, viewer.client, agent[:MAX_NAME_LENGTH], wall, wall)


def owner_of(viewer: Viewer) -> str:
    """Return the key under which a viewer's devices are stored: a digest of its identity."""
    return sha256(f"device {viewer.identity}".encode()).hexdigest()[:32]


def id_of(device: str) -> str:
    """Return the public id of a device: a digest of the `sid`, key or client of its tokens."""
    return sha256(f"device {device}".encode()).hexdigest()[:16]
