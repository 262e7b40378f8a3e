"""The collection `devices`: who is reached by which FCM target. An active target belongs to one device."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter

from pymongo import UpdateOne, WriteConcern
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from notify_server.domain.device import Device, Platform, Target, TargetType
from notify_server.domain.registry import Reason
from notify_server.storage.database import translated
from notify_server.storage.documents import Document

MOVED = "moved"  # the target has shown up under another device
TOO_MANY = "too_many"  # the user has registered others since, up to the most that a user may have
_RACES = 5  # two devices that claim one target at once: each try settles one of them


@dataclass(frozen=True, slots=True)
class Contact:
    """The app on a device of `user` has spoken; whether the device is registered is another matter."""

    user: str
    device: str
    at: datetime


@translated
class Devices:
    """Reads and writes `devices`."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["devices"]
        self._unawaited = self._all.with_options(write_concern=WriteConcern(w=0))

    def register(self, device: Device) -> bool:
        """Store `device` as active and take its target from whoever had it. True when the device is new.

        Its `registered_at` counts where the target is new or was inactive: FCM asks for the age of targets.
        """
        for _ in range(_RACES):
            self._release(device)
            try:
                return self._upsert(device)
            except DuplicateKeyError:
                continue  # the target was claimed between the two writes: take it again
        self._release(device)
        return self._upsert(device)

    def _release(self, device: Device) -> None:
        self._all.update_many(
            {"target": _written(device.target), "active": True, "_id": {"$ne": _id(device.user, device.id)}},
            {"$set": {"active": False, "reason": MOVED, "deactivated_at": device.registered_at}},
        )

    def _upsert(self, device: Device) -> bool:
        written = {
            "target": _written(device.target),
            "platform": device.platform.value,
            "active": True,
            "reason": None,
            "deactivated_at": None,
            "confirmed_at": device.confirmed_at,
            "app_version": device.app_version,
            "locale": device.locale,
        }
        changes: Document = {name: {"$literal": value} for name, value in written.items()}
        known = {"$and": [{"$eq": ["$target", changes["target"]]}, "$active"]}
        changes["registered_at"] = {"$cond": [known, "$registered_at", device.registered_at]}
        done = self._all.update_one({"_id": _id(device.user, device.id)}, [{"$set": changes}], upsert=True)
        return done.upserted_id is not None

    def bound(self, user: str, most: int, at: datetime) -> None:
        """Deactivate the active devices beyond `most` and remove inactive ones beyond as many, oldest contact first.

        Of registrations at the same time, whichever comes last sees them all.
        """
        found = list(self._all.find({"_id.u": user}, {"active": 1, "confirmed_at": 1}).sort("confirmed_at", -1))
        if active := [device for device in found if device["active"]][most:]:
            change = {"active": False, "reason": TOO_MANY, "deactivated_at": at}
            self._all.update_many(_unchanged(active), {"$set": change})
        if inactive := [device for device in found if not device["active"]][most:]:
            self._all.delete_many(_unchanged(inactive))

    def find(self, user: str, device: str) -> Device | None:
        """One device, active or not."""
        found = self._all.find_one({"_id": _id(user, device)})
        return None if found is None else _from_document(found)

    def of_user(self, user: str) -> list[Device]:
        """Every device of `user`, active or not, in order of registration."""
        return [_from_document(d) for d in self._all.find({"_id.u": user}).sort([("registered_at", 1), ("_id.d", 1)])]

    def targets(self, users: Sequence[str]) -> list[tuple[str, str, Target]]:
        """(user, device id, target) of every active device of `users`: one query for a whole batch."""
        found = self._all.find({"_id.u": {"$in": list(users)}, "active": True}, {"target": 1})
        return [(d["_id"]["u"], d["_id"]["d"], _target(d["target"])) for d in found]

    def localised(self, users: Sequence[str]) -> tuple[list[tuple[str, str, Target]], Mapping[tuple[str, str], str]]:
        """The same, and the locales by user and device id, of those devices that have one."""
        found = list(self._all.find({"_id.u": {"$in": list(users)}, "active": True}, {"target": 1, "locale": 1}))
        targets = [(d["_id"]["u"], d["_id"]["d"], _target(d["target"])) for d in found]
        return targets, {
            (user, device): d["locale"] for (user, device, _), d in zip(targets, found, strict=True) if d["locale"]
        }

    def locales(self, users: Sequence[str]) -> Mapping[str, str]:
        """For each of `users`, the locale of that active device with one from which something was heard last."""
        theirs = {"_id.u": {"$in": list(users)}, "active": True}
        found = [d for d in self._all.find(theirs, {"locale": 1, "confirmed_at": 1}) if d["locale"]]
        return {d["_id"]["u"]: d["locale"] for d in sorted(found, key=itemgetter("confirmed_at"))}

    def deactivate(self, dead: Mapping[Reason, Sequence[tuple[str, str, Target]]], at: datetime) -> int:
        """Mark devices whose target FCM called dead, unless they have a new target by now. Returns how many."""
        count = 0
        for reason, devices in dead.items():
            ids = [_id(user, device) for user, device, _ in devices]
            targets = [_written(target) for _, _, target in devices]
            done = self._all.update_many(
                {"_id": {"$in": ids}, "target": {"$in": targets}, "active": True},
                {"$set": {"active": False, "reason": reason.value, "deactivated_at": at}},
            )
            count += done.modified_count
        return count

    def delete(self, user: str, device: str) -> bool:
        """Remove one device; False when there was none."""
        return self._all.delete_one({"_id": _id(user, device)}).deleted_count == 1

    def confirm(self, contacts: Sequence[Contact], apart: timedelta) -> None:
        """Note these contacts with devices that are active and were last confirmed at least `apart` before.

        Nobody waits for it, and it may get lost: there will be another one.
        """
        self._unawaited.bulk_write([_confirmation(contact, apart) for contact in contacts], ordered=False)

    def remove_silent(self, since: datetime, limit: int) -> int:
        """Remove at most `limit` devices that were last confirmed before `since`. Returns how many."""
        silent = {"confirmed_at": {"$lt": since}}
        found = [document["_id"] for document in self._all.find(silent, {"_id": 1}).limit(limit)]
        return self._all.delete_many({"_id": {"$in": found}} | silent).deleted_count if found else 0


def _confirmation(contact: Contact, apart: timedelta) -> UpdateOne:
    old = {"active": True, "confirmed_at": {"$lte": contact.at - apart}}
    return UpdateOne({"_id": _id(contact.user, contact.device)} | old, {"$set": {"confirmed_at": contact.at}})


def _id(user: str, device: str) -> Document:
    return {"u": user, "d": device}


def _unchanged(devices: Sequence[Document]) -> Document:
    """The condition on these, newest contact first, unless they have registered again since."""
    newest = devices[0]
    return {
        "_id": {"$in": [device["_id"] for device in devices]},
        "active": newest["active"],
        "confirmed_at": {"$lte": newest["confirmed_at"]},
    }


def _written(target: Target) -> str:
    return f"{target.type.value}:{target.value}"


def _target(written: str) -> Target:
    kind, _, value = written.partition(":")
    return Target(TargetType(kind), value)


def _from_document(document: Document) -> Device:
    return Device(
        user=document["_id"]["u"],
        id=document["_id"]["d"],
        platform=Platform(document["platform"]),
        target=_target(document["target"]),
        active=document["active"],
        reason=document["reason"],
        registered_at=document["registered_at"],
        confirmed_at=document["confirmed_at"],
        app_version=document["app_version"],
        locale=document["locale"],
    )
