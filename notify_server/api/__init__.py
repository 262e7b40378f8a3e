"""HTTP words only: a route is a guard, a schema, one call, an answer."""
