"""Sessions of browsers: signing in, what a session holds, its stores, its cookie, token refresh."""
