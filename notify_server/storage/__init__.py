"""The only pymongo: one module per collection."""
