"""Code generators: service clients from contracts, and clients of gateways."""
