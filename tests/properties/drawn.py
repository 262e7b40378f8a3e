"""What rules draw from."""

from hypothesis import strategies as st

from notify_server.domain.notification import Channel, ResendPolicy
from notify_server.domain.registry import Status
from tests.properties.world import JOBS, NAMED
from tests.services.scene import LEASE

EVERYONE = "everyone"
GROUPS = ("choir", "crowd")
PROCESSES = ("worker-0", "worker-1", "web", "scheduler-0", "scheduler-1")
DEADLY = ("unregistered", "invalid_argument")  # what FCM says of targets that are no use any more
MOST = 6  # notifications that arrive from the backend in one example

users = st.sampled_from(NAMED)
some_users = st.lists(users, max_size=4, unique=True)
workers = st.sampled_from(["worker-0", "worker-1"])
roles = st.sampled_from(["expand", "dispatch", "settle"])
schedulers = st.sampled_from(["scheduler-0", "scheduler-1"])
how_far = st.none() | st.integers(0, 14)  # operations, and then it is suspended; None: to the end
points = st.integers(0, 9)  # operations of a dispatch, or of a registration
waits = st.sampled_from([1, 10, LEASE, 60, 900, 3600])
channels = st.sampled_from([(Channel.PUSH,), (Channel.PUSH, Channel.REALTIME), (Channel.REALTIME,)])
policies = st.sampled_from([ResendPolicy(60, 2), ResendPolicy(900, 1), ResendPolicy(10, 0)])
faults = st.sampled_from([None, "unavailable", "internal", "quota", "drop_after", *DEADLY])
wide = st.sampled_from(["", "choir", "", "choir", "crowd", EVERYONE])
ttls = st.sampled_from([3600, 86_400, 45])
delays = st.sampled_from([0, 60])
jobs = st.sampled_from(JOBS)
positions = st.integers(0, MOST - 1)  # of a notification, in order of arrival
receipts = st.lists(st.sampled_from([Status.RECEIVED, Status.READ]), min_size=1, max_size=3)
