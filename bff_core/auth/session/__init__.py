"""What a session is, where it is kept, and how a browser holds its end of it."""
