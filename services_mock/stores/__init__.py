"""What writes change, in the memory of each service's process."""
