"""Changes of a proxied request and its reply, compiled when the gateway starts."""
