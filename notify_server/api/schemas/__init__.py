"""What goes in and out, as marshmallow schemas."""
