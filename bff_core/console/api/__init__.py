"""The API page: the requests that it sends, and how callers of a gateway authenticate."""
