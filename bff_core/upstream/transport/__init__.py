"""How calls travel: connections, framing and decoding, behind one interface."""
