"""The shop's services as typed clients, one module each; models hold only what screens use."""
