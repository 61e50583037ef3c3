"""The console: what gateways and services do, in a browser.

Each page has a folder: `overview`, `requests`, `screens`, `upstreams`, `faults`, `api`, `logs` and
`sessions`; `sign_in` has who may open them. `routes` has their JSON API, `model` its Structs,
`commands` what the processes of gateways answer, and `assets` the built scripts of the pages, whose
sources are in `console/`.

`console_app` is the ASGI app over one `Console`: that of a gateway (`gateway_console`), or that of
`bff dev` (`development`). `sources` sends commands to processes, `metrics` reads what they have
counted, `live_stream` sends news to open pages. In the process of a gateway, `sandbox` sends
requests that no metric counts, and `origins` finds the part that each value of an answer is from.
"""
