"""What a process of a gateway offers the console: one module per area, with `commands(gateway)`."""
