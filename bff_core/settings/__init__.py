"""Settings of a gateway: the model of the environment, and the values its variables may have."""
