# Plays an exported cassette with VCR: the token request must get its answer.
require "net/http"
require "vcr"

VCR.configure do |config|
  config.cassette_library_dir = ARGV[0]
  config.hook_into :webmock
  config.allow_http_connections_when_no_cassette = false
end
VCR.use_cassette("login", record: :none, match_requests_on: %i[method uri body]) do
  uri = URI("https://accounts.example.com/token")
  request = Net::HTTP::Post.new(uri)
  request["Content-Type"] = "application/x-www-form-urlencoded"
  request.body = File.read(File.join(ARGV[0], "body"))
  response = Net::HTTP.start(uri.host, uri.port, use_ssl: true) { |http| http.request(request) }
  puts response.code, response["x-request-id"], response.body
end
