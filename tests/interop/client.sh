# The correct session with curl. It never prints a code, a token or a secret.
set -eu
callback=https://shop.example.org/oauth/callback
state=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
head=$(curl -sS -D - -o /dev/null -G "$AS_URL/app/oauth/authorize" \
  --data-urlencode "client_id=$CLIENT_ID" --data-urlencode response_type=code \
  --data-urlencode "redirect_uri=$callback" --data-urlencode "state=$state")
location=$(printf '%s\n' "$head" | tr -d '\r' | sed -n 's/^[Ll]ocation: //p')
code=$(printf '%s' "$location" | sed -n 's/.*[?&]code=\([^&]*\).*/\1/p')
case $location in *"state=$state"*) echo "authorize: a code and our state" ;; *) echo "authorize: another state" ;; esac
answer=$(curl -sS "$AS_URL/token" --data-urlencode "client_id=$CLIENT_ID" --data-urlencode "client_secret=$CLIENT_SECRET" \
  --data-urlencode "code=$code" --data-urlencode grant_type=authorization_code --data-urlencode "redirect_uri=$callback")
field() { printf '%s' "$answer" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
printf 'token: %s\n' "$(printf '%s' "$answer" | tr '{},' '\n\n\n' | sed -n 's/^"\([a-z_]*\)":.*/\1/p' | tr '\n' ' ')"
printf '{"state":"%s","code":"%s","client_secret":"%s","access_token":"%s","refresh_token":"%s"}' \
  "$state" "$code" "$CLIENT_SECRET" "$(field access_token)" "$(field refresh_token)" > "$CANARY_FILE"
