# The oauth2 gem as its README says, and openid_connect for the ID Token, its nonce, issuer and audience.
require "base64"
require "digest"
require "json"
require "oauth2"
require "openid_connect"
require "securerandom"

ISSUER, ID, SECRET, REDIRECT = ENV.values_at("ISSUER", "CLIENT_ID", "CLIENT_SECRET", "REDIRECT_URI")
FLOW, VARIANT = ARGV
WRONG = VARIANT == "wrong"

def client(secret = SECRET)
  OAuth2::Client.new(
    ID, secret, site: ISSUER, authorize_url: "#{ISSUER}/auth", token_url: "#{ISSUER}/token", auth_scheme: :basic_auth,
  )
end

def browse(url)
  finished = IO.popen(["python3", "agent.py", url, REDIRECT], &:read).strip
  if finished.start_with?("page: ")
    puts "refused: #{finished}"
    exit
  end
  URI.decode_www_form(URI(finished).query).to_h
end

def verified(token, nonce)
  keys = JSON.parse(client.request(:get, "#{ISSUER}/jwks").body)
  id_token = OpenIDConnect::ResponseObject::IdToken.decode(token.params["id_token"], JSON::JWK::Set.new(keys["keys"]))
  id_token.verify!(issuer: ISSUER, client_id: ID, nonce: nonce)
  puts "claims: #{id_token.raw_attributes.keys.sort.join(" ")}"
end

def login
  state, nonce, verifier = Array.new(3) { SecureRandom.urlsafe_base64(32) }
  url = client.auth_code.authorize_url(
    redirect_uri: REDIRECT, scope: "openid email", state: state, nonce: nonce,
    code_challenge: Base64.urlsafe_encode64(Digest::SHA256.digest(verifier), padding: false), code_challenge_method: "S256",
  )
  back = browse(url)
  raise "another state" unless back["state"] == state
  verifier = verifier.reverse if WRONG && FLOW == "code"
  token = client.auth_code.get_token(back["code"], redirect_uri: REDIRECT, code_verifier: verifier)
  verified(token, nonce)
  token
end

def userinfo(token)
  puts "userinfo: #{token.get("#{ISSUER}/me").parsed.keys.sort.join(" ")}"
end

def refresh
  first = login
  fresh = first.refresh!
  puts "refreshed: #{fresh.refresh_token == first.refresh_token ? "the same" : "another"} refresh token"
  userinfo(fresh)
  first.refresh! if WRONG
end

begin
  case FLOW
  when "code" then userinfo(login)
  when "refresh" then refresh
  when "client_credentials"
    token = client(WRONG ? "#{SECRET}-not" : SECRET).client_credentials.get_token
    puts "token: #{token.params.keys.sort.join(" ")}"
  end
  puts "done"
rescue OAuth2::Error => error
  puts "refused: #{error.code}"
end
