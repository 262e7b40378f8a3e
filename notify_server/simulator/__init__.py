"""An FCM stand-in that checks what FCM checks and fails on demand. Imports nothing of the rest but errors.

It keeps everything in the memory of one process, so it never runs with more than one worker. Its control endpoints
ask for no credential: it belongs on a loopback address.

FCM         POST /v1/projects/{p}/messages:send, POST /token
Behaviour   PUT, GET /_simulator/behaviour        replaced whole by each PUT; {} is good behaviour
Log         GET /_simulator/messages              NDJSON; ?outcome=accepted, ?target_prefix=t-
            DELETE /_simulator/messages           forgets log, counts, dead targets, Retry-After; not the behaviour
            GET /_simulator/counts                requests, accepted, by_outcome, targets, duplicates, unanswered, …
            GET /_simulator/retry-after-violations  the first 1,000 sends that came too early
Tokens      POST /_simulator/revoke-tokens
Devices     PUT, GET, DELETE /_simulator/devices  [{target, api, token, device_id, received_after, read_after}]

Keys of a behaviour, all optional:

unavailable, internal, quota, unregistered, sender_id_mismatch, invalid_argument, unauthenticated, third_party_auth,
drop_before, drop_after, stall_before, stall_after
                  rates from 0 to 1, together at most 1. An unregistered target stays so until the log is cleared
retry_after       {unavailable, internal, quota}: seconds that such an answer names, or null
latency           {min, max}: seconds before each answer
stall_seconds     how long stall_before (then 503) and stall_after (accepted, then 200) keep the client waiting
drop              "connection": drop_before and drop_after break the connection, so every other request on it loses its
                  answer too, accepted or not. "stream": over HTTP/2 that one request alone is lost
prefixes          {target prefix: {the keys above}}: the longest prefix of a target rules alone
quota_per_minute  messages of the project, beyond which 429 names the time left
seed              of the draws: the n-th message for a target fares the same in each run, in whatever order they come
log               false: count only, keep no rows
token_lifetime    seconds that new access tokens are good for
token_unavailable rate of 503 at /token
"""
