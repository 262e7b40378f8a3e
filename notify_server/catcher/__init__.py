"""The mail catcher: a real SMTP server that delivers nothing, and shows what it got. For development on one machine."""
