"""Entries of notifications that go by mail, and maybe by push as well: one status for both.

`over` names the channels that have come to their end; every entry that goes by mail has it. An entry ends unsent only
when all of its channels have, and what one of them delivers counts for both. While mail alone has got through and push
may follow, an entry is `sent` and `unpushed`, as after an open socket. What does not move an entry is a line in its
history all the same.
"""

from datetime import datetime

from pymongo.database import Database

from notify_server.domain.notification import Channel
from notify_server.domain.registry import Event, Note, Reason, Status, sources
from notify_server.storage.database import translated
from notify_server.storage.documents import Document, entry_id, object_id
from notify_server.storage.journal import Journal
from notify_server.storage.registry import UNPUSHED, Who, any_of, back_to_sent, noted, transition

_PENDING: Document = {"status": Status.PENDING.value}
_SENDABLE: Document = {"status": {"$in": sources(Event.SEND)}}  # pending, or muted while the mail was on its way
_PUSH, _EMAIL = Channel.PUSH.value, Channel.EMAIL.value
_MAIL_OPEN: Document = {"over": {"$ne": _EMAIL}}
_PUSH_OPEN: Document = {"over": {"$ne": _PUSH}}
_BOTH_OPEN: Document = {"over": {"$nin": [_PUSH, _EMAIL]}}
_UNREAD = [Status.SENT.value, Status.RECEIVED.value]
_REACHED_OTHERWISE: list[Document] = [  # lines of history: accepted by FCM, told by a socket, a receipt
    {"status": Status.SENT.value, "detail": {"$regex": "^(attempt [0-9]+: accepted|emitted)"}},
    {"status": {"$in": [Status.RECEIVED.value, Status.READ.value]}, "detail": {"$not": {"$regex": "^mail"}}},
]
_BOTH_OVER: Document = {"over": {"$all": [_PUSH, _EMAIL]}}


@translated
class Joint:
    """Moves entries by what becomes of their mails, and where push gives up beside mail."""

    def __init__(self, database: Database[Document]) -> None:
        self._all = database["registry"]
        self._journal = Journal(database)

    def mailed(self, who: Who, note: Note, *, push_follows: bool) -> None:
        """The mail service has the mails: what was pending, or was muted in that moment, is `sent`."""
        with self._journal.changing(who):
            theirs = {"_id": any_of(who)}
            if push_follows:
                self._all.update_many(theirs | _PENDING | _BOTH_OPEN, _ending(_unpushed(note)))
            moved = self._all.update_many(theirs | _SENDABLE | _MAIL_OPEN, _ending(transition(Event.SEND, note)))
            if push_follows or moved.modified_count < _size(who):
                self._all.update_many(theirs | _MAIL_OPEN, [_noted(note, _EMAIL)])

    def unmailable(self, event: Event, who: Who, note: Note, *, alone: bool) -> None:
        """There will be no mail: what goes by mail `alone` ends by `event`; push or a socket may reach the others."""
        with self._journal.changing(who):
            theirs = {"_id": any_of(who)}
            if not alone:
                self._all.update_many(theirs | _MAIL_OPEN, [_noted(note, _EMAIL)])
                self._end(who, note)
                return
            unsent = theirs | _PENDING | _MAIL_OPEN
            moved = self._all.update_many(unsent | {"sent_at": None}, _ending(transition(event, note)))
            if moved.modified_count < _size(who):
                self._all.update_many(unsent, _ending(back_to_sent(note)))
                self._all.update_many(theirs | _MAIL_OPEN, [_noted(note, _EMAIL)])

    def unmailed(self, who: Who, note: Note, *, push_follows: bool) -> None:
        """The mails wait: entries stay where they are and learn why, once; what costs an attempt, each time.

        Where push follows as well, the reason is that of push.
        """
        with self._journal.changing(who):
            guard: Document = {"_id": any_of(who)} | _MAIL_OPEN
            if not note.attempts:
                guard["history.detail"] = {"$ne": note.detail}
            line = _noted(note)
            if not push_follows:
                pending = {"$eq": ["$status", Status.PENDING.value]}
                line["$set"]["reason"] = {"$cond": [pending, note.reason, "$reason"]}
            self._all.update_many(guard, [line])

    def unpushable(self, who: Who, note: Note) -> None:
        """Push has come to its end without getting through; it may be that mail still does."""
        with self._journal.changing(who):
            unsent = {"$or": [_PENDING, {"status": Status.SENT.value, UNPUSHED: True}]}
            noted = _noted(note, _PUSH)
            pending = {"$eq": ["$status", Status.PENDING.value]}
            noted["$set"]["reason"] = {"$cond": [pending, note.reason, None]}
            self._all.update_many({"_id": any_of(who)} | unsent | _PUSH_OPEN, [noted, {"$unset": UNPUSHED}])
            self._end(who, note)

    def _end(self, who: Who, note: Note) -> None:
        """Pending → failed, where every channel has come to its end. Whichever comes second sees that the other has.

        What was sent before goes back to `sent`.
        """
        over = Note(note.at, note.reason, "every channel has come to its end")
        ended = transition(Event.FAIL, over)
        del ended["$set"]["reason"]
        theirs = {"_id": any_of(who)} | _PENDING | _BOTH_OVER
        self._all.update_many(theirs | {"sent_at": None}, ended)
        self._all.update_many(theirs | {"sent_at": {"$ne": None}}, back_to_sent(over))

    def reopen(self, who: Who, resends: int) -> None:
        """Resend number `resends` has begun for these: what was said of the mail before does not count any more."""
        with self._journal.changing(who):
            begun = {"_id": any_of(who), "resends": resends} | _PENDING
            self._all.update_many(begun, {"$pull": {"over": _EMAIL}})

    def reported(self, event: Event, notification: str, user: str, note: Note, *, alone: bool) -> None:
        """The mail service says that a mail was delivered, or opened.

        What does not go by mail `alone` is not `received` by that: push, and what it sends again, would stop. Where it
        does not move the entry, also as a device was faster, it is a line in its history all the same.
        """
        with self._journal.changing([notification]):
            theirs = {"_id": entry_id(object_id(notification), user)}
            ours: Document = theirs | {"status": {"$in": sources(event)}}
            if event is Event.RECEIVE:  # a server took it, before it came back
                ours["reason"] = {"$ne": Reason.BOUNCED.value}
            moves = alone or event is not Event.RECEIVE
            if not (moves and self._all.update_one(ours, transition(event, note)).modified_count):
                self._all.update_one(theirs | {"history.detail": {"$ne": note.detail}}, [_noted(note)])

    def bounced(self, notification: str, user: str, detail: str, at: datetime, *, alone: bool) -> None:
        """A mail came back. Where nothing but mail has reached the user, push takes over or the entry has failed.

        What goes by mail `alone` fails also before we know that the mail was sent.
        """
        with self._journal.changing([notification]):
            theirs = {"_id": entry_id(object_id(notification), user)}
            if self._bounced_early(theirs, Note(at, Reason.BOUNCED, detail), alone=alone):
                return
            unreached = {"$nor": [{"history": {"$elemMatch": other}} for other in _REACHED_OTHERWISE]}
            line = {"status": Status.PENDING.value, "at": at, "detail": detail}
            waiting = {"status": Status.PENDING.value, "sent_at": None}
            back = {"$set": waiting, "$push": {"history": line}, "$unset": {UNPUSHED: ""}}
            ours = theirs | unreached
            if self._all.update_one(ours | {"status": Status.SENT.value, UNPUSHED: True}, back).modified_count:
                return
            failed = transition(Event.BOUNCE, Note(at, Reason.BOUNCED, detail))
            if self._all.update_one(ours | {"status": {"$in": _UNREAD}}, failed).modified_count:
                return
            self._all.update_one(theirs | {"history.detail": {"$ne": detail}}, [_noted(Note(at, detail=detail))])

    def _bounced_early(self, theirs: Document, note: Note, *, alone: bool) -> bool:
        """Where the entry is still pending: whoever says then that the mail was sent finds that mail is over."""
        pending = theirs | _PENDING | _MAIL_OPEN
        if alone:
            return self._all.update_one(pending, _ending(transition(Event.FAIL, note))).modified_count == 1
        if not self._all.update_one(pending, [_noted(note, _EMAIL)]).modified_count:
            return False
        self._end({str(theirs["_id"]["n"]): [theirs["_id"]["u"]]}, note)
        return True


def _size(who: Who) -> int:
    return sum(len(users) for users in who.values())


def _ending(update: Document) -> Document:
    return update | {"$addToSet": {"over": _EMAIL}}


def _unpushed(note: Note) -> Document:
    """The update of a pending entry whose push follows: it keeps the reason for which it was not pushed yet."""
    update = transition(Event.SEND, note)
    del update["$set"]["reason"]
    update["$set"][UNPUSHED] = True
    return update


def _noted(note: Note, over: str | None = None) -> Document:
    """A stage that adds a line of history wherever the entry stands, and maybe a channel that is over."""
    changes = noted(note)
    if over is not None:
        changes["over"] = {"$setUnion": [{"$ifNull": ["$over", []]}, [over]]}
    return {"$set": changes}
