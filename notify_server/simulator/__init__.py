"""An FCM stand-in that checks what FCM checks and fails on demand. Imports nothing of the rest but errors.

It keeps everything in the memory of one process, so it never runs with more than one worker. Its control endpoints
(`/_simulator/…`) ask for no credential: it belongs on a loopback address.
"""
