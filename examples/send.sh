#!/bin/sh
# Hands a notification over: examples/send.sh [FILE [KEY]]
# SERVER_TOKEN: from `notify-server token create NAME`. URL: http://127.0.0.1:8000 where it is not set.
set -eu
url=${URL:-http://127.0.0.1:8000}
payload=${1:-"$(dirname "$0")/booking.json"}
# One key for one intention: sent again with the same key, the payload makes no second notification.
key=${2:-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')}

# --retry: tries again after 429 and 503, when Retry-After has passed. The key makes that safe.
curl --silent --show-error --fail-with-body --retry 5 --retry-connrefused \
    --header "Authorization: Bearer ${SERVER_TOKEN:?is not set}" \
    --header "Idempotency-Key: $key" \
    --header "Content-Type: application/json" \
    --data-binary "@$payload" \
    "$url/v1/notifications"
