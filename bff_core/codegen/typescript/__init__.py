"""Writes TypeScript clients of gateways: one file over `fetch`, without dependencies."""

from bff_core.codegen.typescript.client import generate

__all__ = ["generate"]
