"""Describes a gateway that does not run: its routes, screens, calls, policies and worst cases."""
