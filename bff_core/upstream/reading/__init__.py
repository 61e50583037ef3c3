"""How replies are read that the strict decoder refuses: charsets, numbers, dates, lost items."""
