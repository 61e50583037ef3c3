"""Settings of a gateway: the environment variables, and the values that they may have."""
