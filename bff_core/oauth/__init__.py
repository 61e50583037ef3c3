"""The OAuth client of a gateway: endpoints of identity providers, discovery, tokens."""
