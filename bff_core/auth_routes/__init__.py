"""The endpoints of authentication: sign-in, sessions and devices."""
