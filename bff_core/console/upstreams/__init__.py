"""The page of services: the layers of their calls, and what operators may do."""
