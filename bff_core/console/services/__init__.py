"""The services of a run of `bff dev`, for pages of its gateways."""
