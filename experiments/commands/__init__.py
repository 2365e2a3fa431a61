"""The command `smfg`: one module a command; its body is imported when it runs."""
