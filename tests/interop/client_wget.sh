# The correct session with wget. It never prints a code, a token or a secret.
set -eu
callback=https://shop.example.org/oauth/callback
state=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
# wget ends with 8 where it may not follow the redirect.
head=$(wget -q -S --max-redirect=0 -O /dev/null \
  "$AS_URL/app/oauth/authorize?client_id=$CLIENT_ID&response_type=code&redirect_uri=https%3A%2F%2Fshop.example.org%2Foauth%2Fcallback&state=$state" 2>&1) || [ $? = 8 ]
location=$(printf '%s\n' "$head" | tr -d '\r' | sed -n 's/^ *[Ll]ocation: \([^ ]*\).*/\1/p' | head -1)
code=$(printf '%s' "$location" | sed -n 's/.*[?&]code=\([^&]*\).*/\1/p')
case $location in *"state=$state"*) echo "authorize: a code and our state" ;; *) echo "authorize: another state" ;; esac
form="grant_type=authorization_code&code=$code&redirect_uri=https%3A%2F%2Fshop.example.org%2Foauth%2Fcallback"
answer=$(wget -q -O - --post-data "$form&client_id=$CLIENT_ID&client_secret=$CLIENT_SECRET" "$AS_URL/token")
field() { printf '%s' "$answer" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
printf 'token: %s\n' "$(printf '%s' "$answer" | tr '{},' '\n\n\n' | sed -n 's/^"\([a-z_]*\)":.*/\1/p' | tr '\n' ' ')"
printf '{"state":"%s","code":"%s","client_secret":"%s","access_token":"%s","refresh_token":"%s"}' \
  "$state" "$code" "$CLIENT_SECRET" "$(field access_token)" "$(field refresh_token)" > "$CANARY_FILE"
