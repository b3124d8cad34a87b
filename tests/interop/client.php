<?php
// The client of the forum thread, in its variants. It never prints a code, a token or a secret.
// With CANARY_FILE set it writes the raw values there, for the search that follows.

$variant = $argv[1];
$server = getenv('AS_URL');
$secret = getenv('CLIENT_SECRET');
$client = getenv('CLIENT_ID');
$callback = 'https://shop.example.org/oauth/callback';
$state = bin2hex(random_bytes(16));
$verifier = rtrim(strtr(base64_encode(random_bytes(32)), '+/', '-_'), '=');
$asked = $variant === 'redirect-slash' ? $callback . '/' : $callback;

$query = http_build_query([
    'client_id' => $client,
    'response_type' => 'code',
    'redirect_uri' => $asked,
    'state' => $state,
    'code_challenge' => rtrim(strtr(base64_encode(hash('sha256', $verifier, true)), '+/', '-_'), '='),
    'code_challenge_method' => 'S256',
]);
$curl = curl_init("$server/app/oauth/authorize?$query");
curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
curl_setopt($curl, CURLOPT_HEADER, true);
$answer = curl_exec($curl);
if ($answer === false) {
    fwrite(STDERR, 'authorize: ' . curl_error($curl) . "\n");
    exit(2);
}
$status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
preg_match('/^location: *(\S+)/mi', $answer, $found);
parse_str(parse_url($found[1] ?? '', PHP_URL_QUERY) ?: '', $returned);
$code = $returned['code'] ?? '';
echo "authorize: $status, ", $code === '' ? 'no code' : 'a code';
echo ($returned['state'] ?? '') === $state ? " and our state\n" : " and another state\n";

$params = [
    'client_id' => $client,
    'client_secret' => $secret,
    'code' => $code,
    'grant_type' => 'authorization_code',
    'redirect_uri' => $callback,
    'code_verifier' => $verifier,
];
$form = ['Content-Type: application/x-www-form-urlencoded'];
$curl = curl_init("$server/token");
curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
switch ($variant) {
    case 'as-posted':
        curl_setopt($curl, CURLOPT_POSTFIELDS, $params);
        curl_setopt($curl, CURLOPT_POST, true);
        curl_setopt($curl, CURLOPT_HTTPHEADER, $form);
        break;
    case 'multipart':
        curl_setopt($curl, CURLOPT_POST, true);
        curl_setopt($curl, CURLOPT_POSTFIELDS, $params);
        curl_setopt($curl, CURLOPT_HTTPHEADER, $form);
        break;
    case 'json':
        curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode($params));
        curl_setopt($curl, CURLOPT_HTTPHEADER, ['Content-Type: application/json']);
        break;
    case 'basic':
        $basic = base64_encode("$client:$secret");
        curl_setopt($curl, CURLOPT_POSTFIELDS, $params);
        curl_setopt($curl, CURLOPT_POST, true);
        curl_setopt($curl, CURLOPT_HTTPHEADER, array_merge($form, ["Authorization: Basic $basic"]));
        break;
    case 'get':
        curl_setopt($curl, CURLOPT_URL, "$server/token?" . http_build_query($params));
        break;
    case 'redirect-slash':
    case 'correct':
        curl_setopt($curl, CURLOPT_POSTFIELDS, http_build_query($params));
        break;
    default:
        fwrite(STDERR, "no such variant: $variant\n");
        exit(2);
}
$answer = curl_exec($curl);
if ($answer === false) {
    fwrite(STDERR, 'token: ' . curl_error($curl) . "\n");
    exit(2);
}
$status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
$fields = json_decode($answer, true) ?: [];
if (isset($fields['error'])) {
    echo "token: $status {$fields['error']} ", $fields['error_description'] ?? '', "\n";
} else {
    echo "token: $status ", implode(' ', array_keys($fields)), "\n";
}

if (getenv('CANARY_FILE')) {
    $canaries = ['state' => $state, 'code_verifier' => $verifier, 'client_secret' => $secret, 'code' => $code];
    foreach (['access_token', 'refresh_token'] as $name) {
        $canaries[$name] = $fields[$name] ?? '';
    }
    $canaries['code_challenge'] = rtrim(strtr(base64_encode(hash('sha256', $verifier, true)), '+/', '-_'), '=');
    file_put_contents(getenv('CANARY_FILE'), json_encode(array_filter($canaries)));
}
