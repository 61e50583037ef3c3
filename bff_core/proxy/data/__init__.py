"""Routes in a file: reads `proxy.toml` or YAML into the same objects as routes in Python."""
