"""What calls show to services: keys, signatures, and tokens that somebody has to be asked for."""
