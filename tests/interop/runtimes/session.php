<?php
// Discovery and a token with PHP's curl, or with its streams: without a context they can only get.
[, $library] = $argv;
$server = getenv('AS_URL');
$basic = base64_encode(getenv('CLIENT_ID') . ':' . getenv('CLIENT_SECRET'));

function ask(string $library, string $url, ?string $form, string $basic): array
{
    if ($library === 'curl') {
        $handle = curl_init($url);
        curl_setopt($handle, CURLOPT_RETURNTRANSFER, true);
        if ($form !== null) {
            curl_setopt($handle, CURLOPT_POSTFIELDS, $form);
            curl_setopt($handle, CURLOPT_HTTPHEADER, ["Authorization: Basic $basic"]);
        }
        $text = curl_exec($handle);
    } elseif ($library === 'streams') {
        $text = file_get_contents($url);
    } else {
        $post = ['method' => 'POST', 'content' => $form, 'header' => ["Authorization: Basic $basic", 'Content-Type: application/x-www-form-urlencoded']];
        $text = file_get_contents($url, false, stream_context_create(['http' => $form === null ? ['method' => 'GET'] : $post]));
    }
    is_string($text) || exit(1);
    return json_decode($text, true);
}

echo count(ask($library, "$server/.well-known/openid-configuration", null, $basic)), "\n";
if ($library !== 'streams') {
    echo implode(' ', array_keys(ask($library, "$server/token", 'grant_type=client_credentials', $basic))), "\n";
}
