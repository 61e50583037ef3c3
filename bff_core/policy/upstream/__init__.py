"""Policies of upstream calls: options, and synchronous state machines that take `now`."""
