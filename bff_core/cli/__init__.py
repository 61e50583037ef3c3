"""What the verbs of the command `bff` do; their options are declared in `bff_core_cli`."""
