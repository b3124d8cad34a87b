# Discovery and a token, with curl or wget; or, with git, a repository that is not there.
set -eu
case $1 in
  curl)
    get() { curl -sS "$1"; }
    post() { curl -sS -u "$CLIENT_ID:$CLIENT_SECRET" -d "$2" "$1"; } ;;
  wget)
    get() { wget -q -O - "$1"; }
    post() { wget -q -O - --auth-no-challenge --user "$CLIENT_ID" --password "$CLIENT_SECRET" --post-data "$2" "$1"; } ;;
  # What the server says for people is not on the tape, so it is not compared.
  git) git ls-remote "$AS_URL/repository" 2>&1 | sed "s#$AS_URL##; /^remote:/d"; exit 0 ;;
esac
names() { tr '{},' '\n\n\n' | sed -n 's/^"\([a-z_]*\)":.*/\1/p' | sort | tr '\n' ' '; }
get "$AS_URL/.well-known/openid-configuration" | names | wc -w
post "$AS_URL/token" grant_type=client_credentials | names
echo
