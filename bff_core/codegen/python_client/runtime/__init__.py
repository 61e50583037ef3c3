"""What each generated client brings along: `generate` copies these modules into the client.

They import nothing of bff_core but each other, and httpx and msgspec. The modules for synchronous
programs are made from those that begin with `async_`.
"""
