"""The endpoints of signing in: what browsers are sent to, and what pages ask."""
