"""Generated requests, and a generated client; `scripts/fuzz` runs them."""
