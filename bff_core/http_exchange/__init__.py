"""One HTTP exchange: the context of a request, and the headers that its response gets."""
