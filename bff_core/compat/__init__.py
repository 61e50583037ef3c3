"""Private names of other libraries: one module for each library, and used nowhere else.

A name is private if it begins with an underscore, if its library does not document it, or if it is
the text of an error. Any release may change it. `tests/compat` has a contract test for each.
"""
