"""Redis as state that several gateways share: the interface, the client, the connections by URL."""
