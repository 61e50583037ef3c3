"""The layers around a call to a service: one handler class each.

Each is built from its options, the runtime of its upstream and the next handler inward, which it
shows as `inner`; its `repr` is the line that `repr(upstream)` prints.
"""
