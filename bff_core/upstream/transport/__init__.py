"""How a call gets to a service: connection pools, HTTP/1.1 framing, decoding; one interface."""
