my ($library, $url) = @ARGV;
if ($library eq 'LWP') {
    eval { require LWP::UserAgent; require LWP::Protocol::https; 1 } or exit 77;
    my $answer = LWP::UserAgent->new->get($url);
    die $answer->status_line . "\n" if $answer->header('Client-Warning');
} else {
    eval { require HTTP::Tiny; HTTP::Tiny->can_ssl or die; 1 } or exit 77;
    my $answer = HTTP::Tiny->new->get($url);
    die $answer->{content} if $answer->{status} == 599;
}
