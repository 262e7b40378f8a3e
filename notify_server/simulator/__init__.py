"""An FCM stand-in that checks what FCM checks and fails on demand. Imports nothing of the rest but errors."""
