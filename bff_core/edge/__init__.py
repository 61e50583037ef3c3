"""What every request passes before it meets a face; `stack.py` knows the order."""
