"""One module per noun: a route is a guard, a schema, one call, an answer."""
