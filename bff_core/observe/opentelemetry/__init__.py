"""Exports traces and metrics over OTLP, as the variables `OTEL_*` set it up.

Only `otel_options` is imported by a gateway without them.
"""
