"""Web sockets without I/O: frames, messages, pings; shared by the server and the transport."""
