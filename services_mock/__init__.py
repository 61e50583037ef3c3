"""The nine services of a shop that the gateways compose, with seeded data and faults on demand."""
