"""A backend's connection to the API of a scene."""

import httpx

from tests.faults.scene import Scene
from tests.service import until


class Api:
    """Calls the web process of `scene` with a server token; try again is the caller's, as it is a backend's."""

    def __init__(self, scene: Scene) -> None:
        token = scene.services.server_tokens.create("tests", [])
        url = f"http://127.0.0.1:{scene.service.config.port}"
        self.client = httpx.Client(base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=30)

    def close(self) -> None:
        self.client.close()

    def ready(self) -> bool:
        """Whether it can serve requests."""
        try:
            return self.client.get("/readyz").is_success
        except httpx.TransportError:
            return False

    def await_ready(self) -> None:
        """Wait until it can."""
        until(self.ready, "the API is ready")

    def post(self, key: str, **audience: list[str]) -> httpx.Response:
        """Hand over a notification to `groups` and `users` under an Idempotency-Key. Raises httpx.TransportError."""
        payload = {"message": {"title": "Hello", "body": "World"}, **audience}
        return self.client.post("/v1/notifications", json=payload, headers={"idempotency-key": key})

    def insist(self, key: str, **audience: list[str]) -> str:
        """The same, again and again until it is accepted; the notification's id."""
        accepted: list[httpx.Response] = []

        def try_once() -> bool:
            try:
                accepted.append(self.post(key, **audience))
            except httpx.TransportError:
                return False
            return accepted[-1].is_success

        until(try_once, "a POST is accepted")
        return str(accepted[-1].json()["id"])
