# Discovery and a token with LWP or HTTP::Tiny.
use strict;
use warnings;
use JSON::PP;
use MIME::Base64;

my ($library, $server) = ($ARGV[0], $ENV{AS_URL});
my $basic = 'Basic ' . encode_base64("$ENV{CLIENT_ID}:$ENV{CLIENT_SECRET}", '');

sub ask {
    my ($url, $form) = @_;
    my @headers = $form ? (Authorization => $basic, 'Content-Type' => 'application/x-www-form-urlencoded') : ();
    if ($library eq 'LWP') {
        require LWP::UserAgent;
        my $agent = LWP::UserAgent->new;
        my $answer = $form ? $agent->post($url, @headers, Content => $form) : $agent->get($url);
        die $answer->status_line unless $answer->is_success;
        return decode_json($answer->content);
    }
    require HTTP::Tiny;
    my $answer = HTTP::Tiny->new->request($form ? 'POST' : 'GET', $url, { headers => {@headers}, $form ? (content => $form) : () });
    die $answer->{content} unless $answer->{success};
    return decode_json($answer->{content});
}

print scalar(keys %{ ask("$server/.well-known/openid-configuration") }), "\n";
print join(' ', sort keys %{ ask("$server/token", 'grant_type=client_credentials') }), "\n";
