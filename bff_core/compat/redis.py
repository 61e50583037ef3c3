"""The private names of redis-py that the framework uses."""

from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.maint_notifications import MaintNotificationsConfig

__all__ = ["AbstractConnection", "MaintNotificationsConfig", "Retry"]
