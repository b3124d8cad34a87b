# Discovery and a token with net/http.
require "json"
require "net/http"

server = ENV.fetch("AS_URL")
puts JSON.parse(Net::HTTP.get(URI("#{server}/.well-known/openid-configuration"))).size
uri = URI("#{server}/token")
post = Net::HTTP::Post.new(uri)
post.basic_auth(ENV.fetch("CLIENT_ID"), ENV.fetch("CLIENT_SECRET"))
post.set_form_data("grant_type" => "client_credentials")
answer = Net::HTTP.start(uri.hostname, uri.port, use_ssl: uri.scheme == "https") { |http| http.request(post) }
puts JSON.parse(answer.body).keys.join(" ")
