"""The JSON API of the console: one module per area, each with `routes(console)`."""
