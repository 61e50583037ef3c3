"""The mutable data of each service, in memory."""
