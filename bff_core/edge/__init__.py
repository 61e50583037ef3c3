"""The edge: the concerns that a request passes before a face; `gateway.pipeline` orders them."""
