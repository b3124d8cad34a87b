<?php
// PHP's streams read no proxy variables; what opens a URL without a context of its own gets this one.
(static function (): void {
    $proxy = parse_url((string) getenv('https_proxy'));
    if (isset($proxy['host'], $proxy['port'])) {
        $options = ['proxy' => "tcp://{$proxy['host']}:{$proxy['port']}", 'request_fulluri' => true];
        if (isset($proxy['user'], $proxy['pass'])) {
            $options['header'] = 'Proxy-Authorization: Basic ' . base64_encode("{$proxy['user']}:{$proxy['pass']}");
        }
        stream_context_set_default(['http' => $options]);
    }
})();
// This file stands where another one was configured, which is run all the same.
$authtape = (static function (): ?string {
    $files = array_filter([php_ini_loaded_file(), ...explode(',', (string) php_ini_scanned_files())]);
    foreach (array_reverse(array_map('trim', $files)) as $file) {
        $settings = @parse_ini_file($file, false, INI_SCANNER_RAW) ?: [];
        $before = $settings['auto_prepend_file'] ?? '';
        // `none` is PHP's word for no file.
        if ($before !== '' && $before !== 'none' && realpath($before) !== __FILE__) {
            return $before;
        }
    }
    return null;
})();
if ($authtape !== null) {
    require $authtape;
}
unset($authtape);
