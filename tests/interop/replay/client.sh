# curl, as a shell script has it; it reads no ID Token.
set -eu
flow=$1 variant=$2
urlsafe() { base64 -w0 | tr '+/' '-_' | tr -d '='; }
random() { head -c 32 /dev/urandom | urlsafe; }
field() { printf '%s' "$answer" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }
names() { printf '%s' "$answer" | tr '{},' '\n\n\n' | sed -n 's/^"\([a-z_]*\)":.*/\1/p' | sort | tr '\n' ' ' | sed 's/ $//'; }
post() { url=$1; shift; answer=$(curl -sS "$ISSUER$url" -u "$CLIENT_ID:$CLIENT_SECRET" "$@"); refused; }
refused() {
  error=$(field error)
  if [ -n "$error" ]; then echo "refused: $error"; exit 0; fi
}
back() {
  location=$(python3 agent.py "$1" "$REDIRECT_URI")
  case $location in page:*) echo "refused: $location"; exit 0 ;; esac
  case $location in *"state=$state"*) ;; *) echo "another state"; exit 1 ;; esac
  code=$(printf '%s' "$location" | sed -n 's/.*[?&]code=\([^&]*\).*/\1/p')
}
redeem() {
  post /token --data-urlencode grant_type=authorization_code --data-urlencode "code=$code" \
    --data-urlencode "redirect_uri=$REDIRECT_URI" --data-urlencode "code_verifier=$verifier"
  echo "token: $(names)"
  token=$(field access_token) refresh=$(field refresh_token)
}
userinfo() { answer=$(curl -sS "$ISSUER/me" -H "Authorization: Bearer $token"); refused; echo "userinfo: $(names)"; }
prepare() {
  state=$(random) nonce=$(random) verifier=$(random)
  challenge=$(printf '%s' "$verifier" | openssl dgst -sha256 -binary | urlsafe)
  uri=$(printf '%s' "$REDIRECT_URI" | sed 's/:/%3A/g; s,/,%2F,g')
  query="client_id=$CLIENT_ID&response_type=code&redirect_uri=$uri&scope=openid%20email&state=$state&nonce=$nonce&code_challenge=$challenge&code_challenge_method=S256"
}
login() { prepare; back "$ISSUER/auth?$query"; }
case $flow in
  code)
    login
    if [ "$variant" = wrong ]; then verifier=$(random); fi
    redeem
    userinfo ;;
  refresh)
    login
    redeem
    first=$refresh
    post /token --data-urlencode grant_type=refresh_token --data-urlencode "refresh_token=$first"
    token=$(field access_token)
    if [ "$(field refresh_token)" = "$first" ]; then echo "refreshed: the same refresh token"; else echo "refreshed: another refresh token"; fi
    userinfo
    if [ "$variant" = wrong ]; then post /token --data-urlencode grant_type=refresh_token --data-urlencode "refresh_token=$first"; fi ;;
  client_credentials)
    if [ "$variant" = wrong ]; then CLIENT_SECRET=$CLIENT_SECRET-not; fi
    post /token --data-urlencode grant_type=client_credentials
    echo "token: $(names)" ;;
  device)
    post /device/auth --data-urlencode "client_id=$CLIENT_ID" --data-urlencode "scope=openid email"
    echo "device: $(names)"
    device_code=$(field device_code)
    while :; do
      sleep 5
      answer=$(curl -sS "$ISSUER/token" -u "$CLIENT_ID:$CLIENT_SECRET" --data-urlencode "device_code=$device_code" \
        --data-urlencode grant_type=urn:ietf:params:oauth:grant-type:device_code)
      if [ "$(field error)" != authorization_pending ]; then break; fi
    done
    refused
    token=$(field access_token)
    userinfo ;;
  par)
    prepare
    post /request --data "$query"
    request_uri=$(field request_uri)
    if [ "$variant" = wrong ]; then request_uri=${request_uri}x; fi
    back "$ISSUER/auth?client_id=$CLIENT_ID&request_uri=$request_uri"
    redeem
    userinfo ;;
esac
echo done
