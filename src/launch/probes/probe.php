<?php
[, $library, $url] = $argv;
if ($library === 'curl') {
    if (!function_exists('curl_init')) {
        exit(77);
    }
    $handle = curl_init($url);
    curl_setopt($handle, CURLOPT_RETURNTRANSFER, true);
    exit(curl_exec($handle) === false ? 1 : 0);
}
$context = $library === 'streams' ? null : stream_context_create(['http' => ['method' => 'GET']]);
exit(file_get_contents($url, false, $context) === false ? 1 : 0);
