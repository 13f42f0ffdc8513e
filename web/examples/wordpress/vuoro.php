<?php
/**
 * Plugin Name: Vuoro
 * Description: Shows a Vuoro session in a page: [vuoro session="…" player="#stream"]. People come in under their WordPress name; who may edit others' posts hosts.
 * Version: 0.1.0
 * Requires at least: 6.4
 * Requires PHP: 8.1
 * License: MIT OR Apache-2.0
 *
 * Settings → Vuoro has the server's address, the tenant's id and its secret (hs256). The secret may stand in
 * wp-config.php instead, where no backup of the database has it: define('VUORO_SECRET', '…');
 *
 * Tokens are signed here, one for each person, good for ten minutes and asked for again by the page. The
 * shortcode says of which session, and a proof beside it keeps anybody from asking for another.
 */

defined('ABSPATH') || exit;

const VUORO_TOKEN_S = 600;

/** Who may host, by what they may do on this site. No less: whoever writes a shortcode would choose it. */
const VUORO_HOSTS = ['edit_others_posts', 'manage_options'];

function vuoro_option(string $name): string {
    if ($name === 'secret' && defined('VUORO_SECRET')) {
        return (string) VUORO_SECRET;
    }
    $options = get_option('vuoro');
    return is_array($options) && isset($options[$name]) ? (string) $options[$name] : '';
}

/** The shortcode. What it gives back is escaped, whatever stands in its attributes. */
function vuoro_shortcode($given): string {
    $it = shortcode_atts(
        ['session' => '', 'player' => '', 'duck' => 'turn-down', 'height' => '36rem', 'lang' => '', 'hosts' => 'edit_others_posts'],
        is_array($given) ? $given : [],
        'vuoro'
    );
    $server = vuoro_option('server');
    if ($server === '' || vuoro_option('tenant') === '' || vuoro_option('secret') === '') {
        return '<p>' . esc_html__('Vuoro is not set up yet: see Settings → Vuoro.', 'vuoro') . '</p>';
    }
    if (!vuoro_is_session($it['session'])) {
        return '<p>' . esc_html__('The shortcode needs the id of a session: [vuoro session="…"].', 'vuoro') . '</p>';
    }
    if (!in_array($it['hosts'], VUORO_HOSTS, true)) {
        $it['hosts'] = VUORO_HOSTS[0];
    }
    wp_enqueue_script('vuoro', $server . '/embed.js', [], null, ['in_footer' => true]);
    vuoro_enqueue_provider();
    $attributes = [
        'session' => $it['session'],
        'server' => $server,
        'player' => $it['player'],
        'duck' => $it['duck'],
        'min-height' => $it['height'],
        'lang' => $it['lang'],
        'data-hosts' => $it['hosts'],
        'data-proof' => vuoro_proof($it['session'], $it['hosts']),
    ];
    $html = '<vuoro-session';
    foreach ($attributes as $name => $value) {
        if ($value !== '') {
            $html .= ' ' . $name . '="' . esc_attr($value) . '"';
        }
    }
    return $html . '></vuoro-session>';
}

/** Asks this site for a token, whenever the frame needs one. Once on a page, however many shortcodes. */
function vuoro_enqueue_provider(): void {
    static $done = false;
    if ($done) {
        return;
    }
    $done = true;
    $known = [
        'url' => rest_url('vuoro/v1/token'),
        // Only who is logged in has one; a page from a cache is nobody's.
        'nonce' => is_user_logged_in() ? wp_create_nonce('wp_rest') : '',
    ];
    $script = 'for (const it of document.querySelectorAll("vuoro-session[data-proof]")) {'
        . 'const known = ' . wp_json_encode($known, JSON_HEX_TAG | JSON_HEX_AMP) . ';'
        . 'const guest = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");'
        . 'it.tokenProvider = async () => {'
        . 'const asked = { session: it.getAttribute("session"), hosts: it.dataset.hosts, proof: it.dataset.proof, guest };'
        . 'const headers = { "Content-Type": "application/json", ...(known.nonce && { "X-WP-Nonce": known.nonce }) };'
        . 'const answer = await fetch(known.url, { method: "POST", headers, body: JSON.stringify(asked) });'
        . 'if (!answer.ok) throw new Error(`no token: ${answer.status}`);'
        . 'return (await answer.json()).token; }; }';
    wp_add_inline_script('vuoro', $script);
}

/** POST /wp-json/vuoro/v1/token */
function vuoro_give_token(WP_REST_Request $request) {
    $session = (string) $request->get_param('session');
    $hosts = (string) $request->get_param('hosts');
    if (!vuoro_is_session($session) || !hash_equals(vuoro_proof($session, $hosts), (string) $request->get_param('proof'))) {
        return new WP_Error('vuoro_proof', 'No page of this site shows that session.', ['status' => 403]);
    }
    $claims = [
        'iss' => vuoro_option('tenant'),
        'aud' => vuoro_option('server'),
        'exp' => time() + VUORO_TOKEN_S,
        'session' => $session,
        'role' => 'participant',
    ];
    $user = wp_get_current_user();
    if ($user->exists()) {
        $claims['person'] = 'wp-' . $user->ID;
        $name = trim(mb_substr(preg_replace('/[[:cntrl:]]/u', '', $user->display_name), 0, 60));
        if ($name !== '') {
            $claims['name'] = $name;
        }
        if (in_array($hosts, VUORO_HOSTS, true) && current_user_can($hosts)) {
            $claims['role'] = 'host';
        }
    } else {
        $guest = (string) $request->get_param('guest');
        if (preg_match('/^[0-9a-f]{32}$/', $guest) !== 1) {
            return new WP_Error('vuoro_guest', 'Who asks?', ['status' => 400]);
        }
        $claims['person'] = 'guest-' . $guest;
    }
    $answer = new WP_REST_Response(['token' => vuoro_sign($claims, vuoro_option('secret'))]);
    $answer->header('Cache-Control', 'no-store');
    return $answer;
}

function vuoro_is_session(string $session): bool {
    return preg_match('/^[0-9A-HJKMNP-TV-Z]{26}$/', $session) === 1;
}

/** That a shortcode of this site, which only its authors write, names this session. */
function vuoro_proof(string $session, string $hosts): string {
    return wp_hash("vuoro|$session|$hosts", 'auth');
}

/** A JWT (RFC 7519), HS256. */
function vuoro_sign(array $claims, string $secret): string {
    $part = static fn(string $it): string => rtrim(strtr(base64_encode($it), '+/', '-_'), '=');
    $body = $part('{"alg":"HS256","typ":"JWT"}') . '.' . $part(wp_json_encode($claims, JSON_UNESCAPED_SLASHES));
    return $body . '.' . $part(hash_hmac('sha256', $body, $secret, true));
}

/** The settings, as they are kept: what does not fit is left as it was. */
function vuoro_clean_options($given): array {
    $given = is_array($given) ? $given : [];
    $server = untrailingslashit(esc_url_raw(trim((string) ($given['server'] ?? '')), ['https', 'http']));
    $tenant = trim((string) ($given['tenant'] ?? ''));
    $secret = trim((string) ($given['secret'] ?? ''));
    return [
        'server' => preg_match('#^https?://[^/]+$#', $server) === 1 ? $server : vuoro_option('server'),
        'tenant' => preg_match('/^[a-z0-9-]{1,40}$/', $tenant) === 1 ? $tenant : vuoro_option('tenant'),
        // An empty field keeps the one there is: it is never shown.
        'secret' => $secret === '' ? (string) ((get_option('vuoro') ?: [])['secret'] ?? '') : $secret,
    ];
}

function vuoro_settings_page(): void {
    if (!current_user_can('manage_options')) {
        return;
    }
    $row = static function (string $name, string $label, string $type, string $value, string $hint): void {
        printf(
            '<tr><th scope="row"><label for="vuoro-%1$s">%2$s</label></th><td><input class="regular-text" id="vuoro-%1$s" name="vuoro[%1$s]" type="%3$s" value="%4$s" autocomplete="off"><p class="description">%5$s</p></td></tr>',
            esc_attr($name),
            esc_html($label),
            esc_attr($type),
            esc_attr($value),
            esc_html($hint)
        );
    };
    echo '<div class="wrap"><h1>Vuoro</h1><form method="post" action="options.php">';
    settings_fields('vuoro');
    echo '<table class="form-table" role="presentation">';
    $row('server', __('Server', 'vuoro'), 'url', vuoro_option('server'), __('Its public_url, such as https://vuoro.example.fi', 'vuoro'));
    $row('tenant', __('Tenant', 'vuoro'), 'text', vuoro_option('tenant'), __('The id in [[tenants]] of vuoro.toml', 'vuoro'));
    if (defined('VUORO_SECRET')) {
        echo '<tr><th scope="row">' . esc_html__('Secret', 'vuoro') . '</th><td>' . esc_html__('It stands in wp-config.php.', 'vuoro') . '</td></tr>';
    } else {
        $row('secret', __('Secret', 'vuoro'), 'password', '', __('hs256 of the tenant. Empty: as before.', 'vuoro'));
    }
    echo '</table>';
    submit_button();
    echo '</form></div>';
}

add_action('init', static function (): void {
    add_shortcode('vuoro', 'vuoro_shortcode');
});
add_action('rest_api_init', static function (): void {
    register_rest_route('vuoro/v1', '/token', [
        'methods' => 'POST',
        'callback' => 'vuoro_give_token',
        // Anybody who sees the page may come in; the proof says that there is such a page.
        'permission_callback' => '__return_true',
    ]);
});
add_action('admin_menu', static function (): void {
    add_options_page('Vuoro', 'Vuoro', 'manage_options', 'vuoro', 'vuoro_settings_page');
});
add_action('admin_init', static function (): void {
    register_setting('vuoro', 'vuoro', ['type' => 'array', 'sanitize_callback' => 'vuoro_clean_options', 'show_in_rest' => false]);
});
