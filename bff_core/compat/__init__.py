"""Private names of other libraries: a module for each library, the only place that uses them.

A name is private if it begins with an underscore, if its library does not document it, or if it is
the text of an error. Any release may change it. `tests/compat` has a contract test for each.
"""
