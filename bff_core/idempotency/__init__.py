"""Where the final answers of keyed requests are kept: in this process, or in Redis for many."""
