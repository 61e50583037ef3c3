"""`bff dev`: runs the programs of a project, reloads them, and shows their requests.

`run` reads the project as a `plan` and starts the `supervisor`. It starts each `managed_program`
by `fork_client` and `fork_server`, or as a command (`launcher`, `child`); `watch`, `reloads` and
`program_changes` replace programs whose files are saved. `terminal_view` shows a run on a terminal,
`logfmt` in a pipe, and `console_server` in a browser.
"""
