"""Socket.IO words only: rooms, events and acknowledgements of the users' private channels."""
