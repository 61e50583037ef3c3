"""The console: what gateways and services do, in a browser."""
