<?php
// The few functions of WordPress that the plugin calls, as its manual describes them, so that the plugin
// runs without one. Reads {"secret", "server", "shortcode", "request", "user"} from stdin and prints what the
// shortcode and the token route answer.
$asked = json_decode(file_get_contents('php://stdin'), true);
define('ABSPATH', '/');
$scripts = [];
class WP_Error {
    public function __construct(public string $code, public string $message, public array $data = []) {}
}
class WP_REST_Response {
    public array $headers = [];
    public function __construct(public array $data) {}
    public function header(string $name, string $value): void { $this->headers[$name] = $value; }
}
class WP_REST_Request {
    public function __construct(private array $given) {}
    public function get_param(string $name) { return $this->given[$name] ?? null; }
}
class WP_User {
    public function __construct(public int $ID, public string $display_name) {}
    public function exists(): bool { return $this->ID > 0; }
}
function get_option($name) { global $asked; return ['server' => $asked['server'], 'tenant' => 'lahti', 'secret' => $asked['secret']]; }
function shortcode_atts($defaults, $given) { return array_merge($defaults, array_intersect_key($given, $defaults)); }
function esc_attr($it) { return htmlspecialchars($it, ENT_QUOTES); }
function esc_html($it) { return htmlspecialchars($it, ENT_QUOTES); }
function esc_html__($it) { return esc_html($it); }
function __($it) { return $it; }
function wp_enqueue_script($name, $source) { global $scripts; $scripts[] = $source; }
function wp_add_inline_script($name, $script) { global $scripts; $scripts[] = $script; }
function rest_url($path) { return "https://event.example/wp-json/$path"; }
function is_user_logged_in() { global $asked; return $asked['user']['id'] > 0; }
function wp_create_nonce() { return 'nonce'; }
function wp_json_encode($it, $flags = 0) { return json_encode($it, $flags); }
function wp_hash($it) { return hash_hmac('sha256', $it, 'salt of this site'); }
function wp_get_current_user() { global $asked; return new WP_User($asked['user']['id'], $asked['user']['name']); }
function current_user_can($what) { global $asked; return in_array($what, $asked['user']['can'], true); }
function add_action() {}
if (!function_exists('mb_substr')) {
    function mb_substr($it, $from, $count) { return implode('', array_slice(preg_split('//u', $it, -1, PREG_SPLIT_NO_EMPTY), $from, $count)); }
}
require __DIR__ . '/../../../web/examples/wordpress/vuoro.php';
$html = vuoro_shortcode($asked['shortcode']);
preg_match('/data-proof="([^"]*)"/', $html, $proof);
preg_match('/data-hosts="([^"]*)"/', $html, $hosts);
$request = array_merge(['session' => $asked['shortcode']['session'], 'hosts' => $hosts[1] ?? '', 'proof' => $proof[1] ?? ''], $asked['request']);
$answer = vuoro_give_token(new WP_REST_Request($request));
echo json_encode(['html' => $html, 'scripts' => $scripts, 'token' => $answer->data['token'] ?? null, 'refused' => $answer instanceof WP_Error ? $answer->data['status'] : null]);
