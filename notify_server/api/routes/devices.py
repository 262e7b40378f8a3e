"""The device's side: registering, and reporting what arrived."""

from typing import Any

from notify_server.api import guards
from notify_server.api.blueprint import Routes
from notify_server.api.context import current_user, services
from notify_server.api.schemas.device import DeviceListSchema, DeviceSchema, InstallationSchema
from notify_server.api.schemas.receipts import ReceiptsSchema, ReceivedSchema
from notify_server.domain.device import Device
from notify_server.services.enrolment import Installation
from notify_server.services.reception import UNKNOWN

routes = Routes("me", __name__, description="What a user's own devices do")


@routes.route("/v1/me/devices/<device_id>", methods=["PUT"])
@guards.user
@routes.arguments(InstallationSchema)
@routes.response(200, DeviceSchema)
@routes.alt_response(201, schema=DeviceSchema)
def register(installation: Installation, device_id: str) -> tuple[Device, int]:
    """Register this installation of the app, or refresh its registration."""
    new = services().enrolment.register(current_user(), device_id, installation)
    return services().enrolment.get(current_user(), device_id), 201 if new else 200


@routes.route("/v1/me/devices", methods=["GET"])
@guards.user
@routes.response(200, DeviceListSchema)
def list_all() -> dict[str, Any]:
    """List the user's devices, active or not."""
    return {"devices": services().enrolment.listed(current_user())}


@routes.route("/v1/me/devices/<device_id>", methods=["DELETE"])
@guards.user
@routes.response(204)
def delete(device_id: str) -> None:
    """Remove a device: nothing is sent to it any more."""
    services().enrolment.delete(current_user(), device_id)


@routes.route("/v1/me/receipts", methods=["POST"])
@guards.user
@routes.arguments(ReceiptsSchema)
@routes.response(200, ReceivedSchema)
def report(body: dict[str, Any]) -> dict[str, Any]:
    """Report notifications as received or read; repeated reports do no harm."""
    rejected = services().reception.report(current_user(), body["receipts"])
    return {
        "accepted": len(body["receipts"]) - len(rejected),
        "rejected": [{"index": index, "error": UNKNOWN} for index in rejected],
    }
