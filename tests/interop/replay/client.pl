# LWP::Authen::OAuth2 as its documentation says; it reads no ID Token.
use strict;
use warnings;
use Digest::SHA qw(sha256);
use JSON qw(decode_json);
use LWP::Authen::OAuth2;
use MIME::Base64 qw(encode_base64url);
use URI;

my ($flow, $variant) = @ARGV;
my $redirect = $ENV{REDIRECT_URI};
my $is_wrong = $variant eq 'wrong';
my $client = LWP::Authen::OAuth2->new(
    client_id => $ENV{CLIENT_ID},
    client_secret => $ENV{CLIENT_SECRET},
    redirect_uri => $redirect,
    scope => 'openid email',
    authorization_endpoint => "$ENV{ISSUER}/auth",
    token_endpoint => "$ENV{ISSUER}/token",
    authorization_optional_params => [qw(redirect_uri state scope code_challenge code_challenge_method)],
    request_optional_params => [qw(redirect_uri code_verifier)],
    error_handler => \&refused,
);

sub refused {
    my ($message) = @_;
    my ($error) = $message =~ /OAuth2 error: (\S+)/ or die $message;
    print "refused: $error\n";
    exit;
}

sub random {
    open my $source, '<', '/dev/urandom' or die;
    read $source, my $bytes, 32;
    return encode_base64url($bytes);
}

sub browse {
    my ($url) = @_;
    open my $agent, '-|', 'python3', 'agent.py', $url, $redirect or die;
    chomp(my $end = <$agent>);
    if ($end =~ /^page: /) { print "refused: $end\n"; exit }
    return { URI->new($end)->query_form };
}

sub login {
    my ($state, $verifier) = (random(), random());
    my $back = browse($client->authorization_url(
        state => $state, code_challenge => encode_base64url(sha256($verifier)), code_challenge_method => 'S256',
    ));
    $back->{state} eq $state or die 'another state';
    $verifier = random() if $is_wrong && $flow eq 'code';
    $client->request_tokens(code => $back->{code}, code_verifier => $verifier);
    return decode_json($client->token_string);
}

sub userinfo {
    my $answer = $client->get("$ENV{ISSUER}/me");
    die $answer->status_line unless $answer->is_success;
    print 'userinfo: ', join(' ', sort keys %{ decode_json($answer->decoded_content) }), "\n";
}

my $first = login();
if ($flow eq 'refresh') {
    $client->refresh_access_token;
    my $fresh = decode_json($client->token_string);
    print 'refreshed: ', ($fresh->{refresh_token} eq $first->{refresh_token} ? 'the same' : 'another'), " refresh token\n";
}
userinfo();
$client->refresh_access_token(refresh_token => $first->{refresh_token}) if $is_wrong;
print "done\n";
