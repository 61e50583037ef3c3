"""Assembles one gateway: settings, services, edge and faces become a FastAPI app."""
