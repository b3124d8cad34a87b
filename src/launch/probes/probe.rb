require "net/http"

Net::HTTP.get_response(URI(ARGV.fetch(0)))
