<?php
// PHP's curl, as a client without a library has it; it reads no ID Token.
[$issuer, $id, $secret, $redirect] = array_map('getenv', ['ISSUER', 'CLIENT_ID', 'CLIENT_SECRET', 'REDIRECT_URI']);
[, $flow, $variant] = $argv;
$isWrong = $variant === 'wrong';

function urlsafe(string $bytes): string {
    return rtrim(strtr(base64_encode($bytes), '+/', '-_'), '=');
}

function finish(string $line): never {
    echo "$line\n";
    exit(0);
}

function ask(string $url, ?array $form = null, array $options = []): array {
    $handle = curl_init($url);
    curl_setopt_array($handle, [CURLOPT_RETURNTRANSFER => true] + $options);
    if ($form !== null) {
        curl_setopt($handle, CURLOPT_POSTFIELDS, http_build_query($form));
    }
    $answer = curl_exec($handle);
    if ($answer === false) {
        throw new RuntimeException(curl_error($handle));
    }
    $fields = json_decode($answer, true, flags: JSON_THROW_ON_ERROR);
    if (isset($fields['error']) && $fields['error'] !== 'authorization_pending') {
        finish("refused: {$fields['error']}");
    }
    return $fields;
}

function post(string $path, array $form): array {
    global $issuer, $id, $secret;
    return ask("$issuer$path", $form, [CURLOPT_USERPWD => "$id:$secret"]);
}

function told(string $name, array $fields): void {
    $names = array_keys($fields);
    sort($names);
    echo "$name: ", implode(' ', $names), "\n";
}

function userinfo(array $token): void {
    global $issuer;
    told('userinfo', ask("$issuer/me", null, [CURLOPT_HTTPHEADER => ["Authorization: Bearer {$token['access_token']}"]]));
}

function prepared(): array {
    global $id, $redirect;
    [$state, $verifier] = [urlsafe(random_bytes(32)), urlsafe(random_bytes(32))];
    $query = [
        'response_type' => 'code', 'client_id' => $id, 'redirect_uri' => $redirect, 'scope' => 'openid email',
        'state' => $state, 'nonce' => urlsafe(random_bytes(16)), 'code_challenge_method' => 'S256',
        'code_challenge' => urlsafe(hash('sha256', $verifier, true)),
    ];
    return [$query, $verifier];
}

function login(array $query, string $state, string $verifier): array {
    global $issuer, $redirect, $flow, $isWrong;
    $url = "$issuer/auth?" . http_build_query($query);
    $end = trim(shell_exec(implode(' ', array_map('escapeshellarg', ['python3', 'agent.py', $url, $redirect]))));
    if (str_starts_with($end, 'page: ')) {
        finish("refused: $end");
    }
    parse_str(parse_url($end, PHP_URL_QUERY), $back);
    if ($back['state'] !== $state) {
        throw new RuntimeException('another state');
    }
    if ($isWrong && $flow === 'code') {
        $verifier = strrev($verifier);
    }
    $token = post('/token', [
        'grant_type' => 'authorization_code', 'code' => $back['code'], 'redirect_uri' => $redirect, 'code_verifier' => $verifier,
    ]);
    told('token', $token);
    return $token;
}

function refresh(array $first): void {
    global $isWrong;
    $again = ['grant_type' => 'refresh_token', 'refresh_token' => $first['refresh_token']];
    $fresh = post('/token', $again);
    echo 'refreshed: ', $fresh['refresh_token'] === $first['refresh_token'] ? 'the same' : 'another', " refresh token\n";
    userinfo($fresh);
    if ($isWrong) {
        post('/token', $again);
    }
}

function device(): void {
    global $id;
    $started = post('/device/auth', ['client_id' => $id, 'scope' => 'openid email']);
    told('device', $started);
    do {
        sleep($started['interval'] ?? 5);
        $token = post('/token', ['grant_type' => 'urn:ietf:params:oauth:grant-type:device_code', 'device_code' => $started['device_code']]);
    } while (isset($token['error']));
    userinfo($token);
}

[$query, $verifier] = prepared();
switch ($flow) {
    case 'code':
        userinfo(login($query, $query['state'], $verifier));
        break;
    case 'refresh':
        refresh(login($query, $query['state'], $verifier));
        break;
    case 'client_credentials':
        $secret .= $isWrong ? '-not' : '';
        told('token', post('/token', ['grant_type' => 'client_credentials']));
        break;
    case 'device':
        device();
        break;
    case 'par':
        $pushed = post('/request', $query);
        $uri = $pushed['request_uri'] . ($isWrong ? 'x' : '');
        userinfo(login(['client_id' => $id, 'request_uri' => $uri], $query['state'], $verifier));
        break;
}
echo "done\n";
