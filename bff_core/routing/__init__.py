"""The routes of a gateway: paths, access, and the fast path to compiled views."""
