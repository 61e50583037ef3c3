"""What `bff_core/compat/redis.py` needs of redis-py; each test is named after one promise."""

import pytest
from redis.asyncio import BlockingConnectionPool, Redis, RedisCluster
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from bff_core.compat import redis as compat
from tests.compat.promises import parameters


def client() -> Redis:
    """Return a client as the framework makes it; it connects to nothing."""
    pool = BlockingConnectionPool.from_url(
        "redis://127.0.0.1:1/0",
        max_connections=2,
        timeout=None,
        retry=compat.Retry(NoBackoff(), 0),
        driver_info=None,
        maint_notifications_config=compat.MaintNotificationsConfig(enabled=False),
        protocol=3,
    )
    return Redis.from_pool(pool)


def test_the_callbacks_of_responses_can_be_cleared():
    """`Redis.response_callbacks` holds what turns replies into objects; without, they are raw."""
    made = client()

    assert len(made.response_callbacks) > 0
    made.response_callbacks.clear()

    assert len(made.response_callbacks) == 0


def test_a_pool_makes_connections_of_its_own():
    """`connection_pool.make_connection` returns a connection that the pool does not count."""
    made = client().connection_pool.make_connection()

    assert isinstance(made, compat.AbstractConnection)
    assert not made.is_connected


@pytest.mark.parametrize(
    ("method", "takes"),
    [
        ("connect", set()),
        ("send_command", {"args"}),
        ("read_response", {"timeout", "disconnect_on_error", "push_request"}),
        ("disconnect", {"nowait"}),
    ],
)
def test_a_connection_has_a_method(method, takes):
    """A subscription uses a connection by itself: these methods, with these parameters."""
    assert takes <= parameters(getattr(compat.AbstractConnection, method))


async def test_a_connection_that_is_refused_is_an_os_error_or_a_redis_error():
    """A failure to connect is one of the errors that the client expects, and is not retried."""
    with pytest.raises((OSError, RedisError)):
        await client().connection_pool.make_connection().connect()


def cluster() -> RedisCluster:
    """Return a client of a cluster as the framework makes it; it connects to nothing."""
    return RedisCluster.from_url(
        "redis://127.0.0.1:1",
        max_connections=2,
        retry=compat.Retry(NoBackoff(), 0),
        client_name="bff",
        driver_info=None,
        maint_notifications_config=compat.MaintNotificationsConfig(enabled=False),
        protocol=3,
        socket_timeout=1.0,
        socket_connect_timeout=1.0,
    )


def test_a_cluster_parses_the_answers_that_it_needs_itself():
    """`response_callbacks` has that of COMMAND, and others that can be taken away."""
    made = cluster()

    assert {"COMMAND", "SET"} <= {*made.response_callbacks}
    assert "CLUSTER SLOTS" in {*made.response_callbacks, *made.result_callbacks}
    del made.response_callbacks["SET"]


def test_the_nodes_of_a_cluster_can_be_found_again_and_closed():
    """`nodes_manager` has `initialize` and `aclose`, which takes the name of a set of nodes."""
    manager = cluster().nodes_manager

    assert "attr" in parameters(manager.aclose)
    assert isinstance(manager.startup_nodes, dict)
    assert callable(manager.initialize)


def test_the_node_of_a_key_makes_connections():
    """`get_node_from_key` is a method; a node has the class and the options of its connections."""
    made = cluster()
    (node,) = made.nodes_manager.startup_nodes.values()

    assert "key" in parameters(made.get_node_from_key)
    assert isinstance(node.connection_class(**node.connection_kwargs), compat.AbstractConnection)
