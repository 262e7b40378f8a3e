from notify_server.api.schemas.subscription import SubscriptionsSchema
from notify_server.services.subscriptions import MutedNames


def test_what_is_muted_is_shown_by_kind():
    shown = SubscriptionsSchema().dump({"muted": MutedNames(("choir",), ("ads", "news"))})
    assert shown == {"muted": {"groups": ["choir"], "categories": ["ads", "news"]}}
