#!/bin/sh
# Plays a phone that shows a notification, and then its user, who opens it: examples/receipts.sh USER NOTIFICATION
# SERVER_TOKEN and URL: as in send.sh.
set -eu
url=${URL:-http://127.0.0.1:8000}
user=$1 notification=$2

call() {
    curl --silent --show-error --fail-with-body "$@"
}

# The backend's part: a token for this user, which it hands to the app after the login.
user_token=$(call --request POST --header "Authorization: Bearer ${SERVER_TOKEN:?is not set}" "$url/v1/users/$user/tokens" |
    sed 's/.*"token": *"\([^"]*\)".*/\1/')

# The app's part: what it received and what was read, in one request or in several, in any order.
for status in received read; do
    call --header "Authorization: Bearer $user_token" --header "Content-Type: application/json" \
        --data "{\"receipts\": [{\"notification_id\": \"$notification\", \"status\": \"$status\"}]}" \
        "$url/v1/me/receipts"
done

# What the registry says of it now.
call --header "Authorization: Bearer $SERVER_TOKEN" "$url/v1/users/$user/registry?limit=1"
