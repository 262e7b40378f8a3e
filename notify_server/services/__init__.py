"""The verbs: what the server does, one module per capability."""
