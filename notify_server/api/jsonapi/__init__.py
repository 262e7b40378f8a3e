"""JSON:API 1.1 (https://jsonapi.org/format/1.1/): its media type, documents and errors."""
