"""One suite for what FastAPI promises: each feature on plain FastAPI, and on both ways through us.

To add a feature, write a function that declares routes on `routes` (the decorators of FastAPI) and
returns the request, and mark it with `@feature`; `test_features.py` and its neighbours show how.
The test fails if status, headers or body differ between plain FastAPI, a view on the fast path and
a view that FastAPI calls. What differs on purpose is a test of its own, with the reason in its
docstring: see `test_differences.py`.
"""
