"""How replies become typed values: charsets, numbers, dates, and what tolerant reading drops."""
