"""Writes a typed `Upstream` from the OpenAPI document of a service."""

from bff_core.codegen.upstream.client import generate
from bff_core.codegen.upstream.options import Generated
from bff_core.codegen.upstream.options import UpstreamOptions as Options

__all__ = ["Generated", "Options", "generate"]
