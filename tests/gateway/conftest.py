"""The scene of the services' tests, for gateways."""

from tests.services.conftest import clock, fcm, scene, simulator, transport

__all__ = ["clock", "fcm", "scene", "simulator", "transport"]
