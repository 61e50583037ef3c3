"""Writes a client of a gateway for Python programs, asynchronous and synchronous."""

from bff_core.codegen.python_client.package import generate

__all__ = ["generate"]
