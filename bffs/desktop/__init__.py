"""The gateway of the desktop app: wide answers over REST, and streams."""
