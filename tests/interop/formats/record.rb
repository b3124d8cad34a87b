# Records a token request with VCR.
require "net/http"
require "vcr"

file, url, secret = ARGV
VCR.configure do |config|
  config.cassette_library_dir = File.dirname(file)
  config.hook_into :webmock
end
VCR.use_cassette(File.basename(file, ".yml"), record: :all) do
  uri = URI(url)
  request = Net::HTTP::Post.new(uri, "Accept-Encoding" => "gzip")
  request.set_form_data("grant_type" => "client_credentials", "client_id" => "web", "client_secret" => secret)
  Net::HTTP.start(uri.host, uri.port) { |http| http.request(request) }
end
