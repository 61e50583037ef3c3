"""The faults of mock services: setting them, and what clients get of a screen meanwhile."""
