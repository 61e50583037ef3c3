"""What the credentials layer asks for headers: one module per kind."""
