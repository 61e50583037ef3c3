"""The layers around a call to a service: one handler class each.

Each is built from its options, the runtime of its upstream and the next handler, which is its
attribute `inner`. `repr(upstream)` prints the `repr` of each layer on a line.
"""
