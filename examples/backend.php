<?php
// What a backend does, call by call: php examples/backend.php
// SERVER_TOKEN: from `notify-server token create NAME`, with the scopes send, read and users.
// URL: http://127.0.0.1:8000 where it is not set. Needs PHP 8 and its curl extension.

declare(strict_types=1);

/** An answer that trying again does not change; $errors says by field what is wrong. */
final class Refused extends RuntimeException
{
    public function __construct(public readonly int $status, string $detail, public readonly array $errors)
    {
        parent::__construct("$status $detail", $status);
    }
}

/** The calls of a backend. Every one of them may be repeated, and is, when the server is away for a moment. */
final class NotifyServer
{
    private const TRIES = 6;
    private CurlHandle $curl;

    public function __construct(private string $url, #[\SensitiveParameter] private string $token)
    {
        $this->curl = curl_init(); // one handle, so that the connection is kept
    }

    /** Hands a notification over; its id. $key names the intention: store it, and use it again after a crash. */
    public function send(array $payload, string $key): string
    {
        return $this->call('POST', '/v1/notifications', $payload, ["Idempotency-Key: $key"])['id'];
    }

    /** Every item of a list, page by page. */
    public function pages(string $path, string $name, array $query = []): Generator
    {
        do {
            $page = $this->call('GET', $path . '?' . http_build_query(['limit' => 200] + $query));
            yield from new ArrayIterator(array_values($page[$name]));
            $query['cursor'] = $page['next'];
        } while ($page['next'] !== null);
    }

    /** Returns the answer's body. Throws Refused, and RuntimeException when the server stays away. */
    public function call(string $method, string $path, ?array $body = null, array $headers = []): array
    {
        for ($try = 1; ; $try++) {
            [$status, $text, $retryAfter] = $this->request($method, $path, $body, $headers);
            $answer = json_decode($text, true) ?? [];
            if ($status >= 200 && $status < 300) {
                return $answer;
            }
            $passing = $status === 0 || $status === 429 || $status >= 500;
            if (!$passing) {
                throw new Refused($status, $answer['detail'] ?? '', $answer['errors'] ?? []);
            }
            if ($try === self::TRIES) {
                throw new RuntimeException($answer['detail'] ?? "no answer, status $status");
            }
            // what the server asks for, else twice as long each time, with jitter
            usleep((int) (1e6 * ($retryAfter ?? 2 ** $try * random_int(50, 100) / 100)));
        }
    }

    /** Returns the status (0: there was no answer), the body and the seconds of Retry-After, if it named any. */
    private function request(string $method, string $path, ?array $body, array $headers): array
    {
        $retryAfter = null;
        $headers[] = "Authorization: Bearer {$this->token}";
        $options = [
            CURLOPT_URL => $this->url . $path,
            CURLOPT_CUSTOMREQUEST => $method,
            CURLOPT_RETURNTRANSFER => true,
            CURLOPT_CONNECTTIMEOUT => 5,
            CURLOPT_TIMEOUT => 30,
            CURLOPT_HEADERFUNCTION => function ($curl, string $line) use (&$retryAfter): int {
                if (preg_match('/^retry-after:\s*(\d+)\s*$/i', $line, $found)) {
                    $retryAfter = (int) $found[1];
                }
                return strlen($line);
            },
        ];
        if ($body !== null) {
            $headers[] = 'Content-Type: application/json';
            $options[CURLOPT_POSTFIELDS] = json_encode($body, JSON_THROW_ON_ERROR);
        }
        curl_reset($this->curl); // also forgets the body of the request before; the connection stays
        curl_setopt_array($this->curl, $options + [CURLOPT_HTTPHEADER => $headers]);
        $text = curl_exec($this->curl);
        return [$text === false ? 0 : curl_getinfo($this->curl, CURLINFO_RESPONSE_CODE), (string) $text, $retryAfter];
    }
}

$token = getenv('SERVER_TOKEN') ?: throw new RuntimeException('SERVER_TOKEN is not set.');
$server = new NotifyServer(getenv('URL') ?: 'http://127.0.0.1:8000', $token);

$server->call('PUT', '/v1/users/' . rawurlencode('demo-ada'), ['community' => 'school-1', 'locale' => 'en-GB']);
$server->call('PUT', '/v1/groups/demo-class-101', ['community' => 'school-1', 'members' => ['demo-ada', 'demo-grace']]);
$server->call('POST', '/v1/groups/demo-class-101/members', ['add' => ['demo-alan'], 'remove' => []]);
echo 'token for the app, good until ', $server->call('POST', '/v1/users/demo-ada/tokens')['expires_at'], "\n";

$id = $server->send([
    'message' => [
        'title' => 'Booking confirmed',
        'body' => 'Algebra 101, Monday 9:00',
        'data' => ['booking_id' => '123'], // strings only; where it is empty leave it out: PHP would write [] for {}
    ],
    'groups' => ['demo-class-101'],
    'category' => 'booking',
    'ttl' => 3600,
], 'booking-123-confirmed-' . bin2hex(random_bytes(8))); // in your backend: without the random part, and stored

do {
    usleep(500_000);
    $standing = $server->call('GET', "/v1/notifications/$id");
} while (!in_array($standing['state'], ['done', 'cancelled'], true));
echo "{$standing['state']} {$standing['recipients']} recipients ", json_encode($standing['counts']), "\n";
foreach ($server->pages("/v1/notifications/$id/registry", 'entries') as $entry) {
    printf("  %-12s %-10s %s\n", $entry['user_id'], $entry['status'], $entry['reason']);
}

try {
    $server->send(['message' => ['title' => 'To nobody']], bin2hex(random_bytes(16)));
} catch (Refused $refused) {
    echo 'refused, by field: ', json_encode($refused->errors), "\n";
}
echo 'taken back: ', $server->call('POST', "/v1/notifications/$id/cancel")['stopped'], "\n";
