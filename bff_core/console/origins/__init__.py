"""Which part of a screen each place of its composed JSON comes from."""
