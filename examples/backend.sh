#!/bin/sh
# What a backend does, call by call: examples/backend.sh
# SERVER_TOKEN: from `notify-server token create NAME`, with the scopes send, read and users.
# URL: http://127.0.0.1:8000 where it is not set.
set -eu
url=${URL:-http://127.0.0.1:8000}

# call METHOD PATH [BODY [CURL'S OPTIONS]…]: tries again after 429, 5xx and a lost connection; every call may be repeated.
call() {
    method=$1 path=$2 body=${3-}
    shift $(($# > 3 ? 3 : $#))
    [ -z "$body" ] || set -- "$@" --header "Content-Type: application/json" --data "$body"
    echo "$method $path" >&2
    curl --silent --show-error --fail-with-body --max-time 30 --retry 5 --retry-connrefused \
        --request "$method" --header "Authorization: Bearer ${SERVER_TOKEN:?is not set}" "$@" "$url$path"
}

# People and groups: as they are in the backend. What is left out of a user stays as it is.
call PUT /v1/users/demo-ada '{"community": "school-1", "locale": "en-GB"}'
call PUT /v1/groups/demo-class-101 '{"community": "school-1", "members": ["demo-ada", "demo-grace"]}'
call POST /v1/groups/demo-class-101/members '{"add": ["demo-alan"], "remove": []}'

# A user token, which the backend hands to the app after the login.
call POST /v1/users/demo-ada/tokens | sed 's/"token": *"[^"]*"/"token":"…"/'

# A notification. The key names the intention; a real one is stored and has nothing random in it.
key=booking-123-confirmed-$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
accepted=$(call POST /v1/notifications '{
    "message": {"title": "Booking confirmed", "body": "Algebra 101, Monday 9:00", "data": {"booking_id": "123"}},
    "groups": ["demo-class-101"], "category": "booking", "ttl": 3600
}' --header "Idempotency-Key: $key")
id=$(printf %s "$accepted" | sed 's/.*"id": *"\([^"]*\)".*/\1/')
echo "$accepted"

# What became of it.
until standing=$(call GET "/v1/notifications/$id") && printf %s "$standing" | grep -Eq '"state": *"(done|cancelled)"'; do
    sleep 1
done
echo "$standing"
call GET "/v1/notifications/$id/registry?limit=200"

# Taking back what is not sent yet.
call POST "/v1/notifications/$id/cancel"
