"""Where entries are kept: in this process, in Redis, in both."""
