"""Policies: frozen options, and synchronous state machines that get the time as `now`."""
