"""Who asks: the viewer, and the ways to find out."""
