<?php
// Hands a notification over: php examples/send.php [FILE [KEY]]
// SERVER_TOKEN: from `notify-server token create NAME`. URL: http://127.0.0.1:8000 where it is not set.
// Needs PHP 8 and its curl extension.

declare(strict_types=1);

const TRIES = 6;

/**
 * Returns the answer to the accepted payload: id, state, created_at, expires_at.
 *
 * $key names the intention ("booking-123-confirmed"): store it with what you do, and use it again when you try again,
 * also after a crash. The same key and payload never make a second notification.
 * Throws InvalidArgumentException when the payload has to be mended, DomainException when the key was used for another
 * payload, and RuntimeException for the rest: the server is away, or refuses the token. Keep payload and key, then.
 */
function send(string $url, #[\SensitiveParameter] string $token, array $payload, string $key): array
{
    for ($try = 1; ; $try++) {
        [$status, $body, $retryAfter] = post($url, $token, $payload, $key);
        $answer = json_decode($body, true) ?? [];
        $problem = $answer['detail'] ?? "status $status";
        switch ($status) {
            case 202:
                return $answer;
            case 409:
                throw new DomainException($problem);
            case 422:
                throw new InvalidArgumentException(json_encode($answer['errors'] ?? $problem));
        }
        $passing = $status === 0 || $status === 429 || $status >= 500;
        if (!$passing || $try === TRIES) {
            throw new RuntimeException($problem);
        }
        sleep($retryAfter ?? 2 ** $try); // seconds
    }
}

/** Returns the status (0: there was no answer), the body and the seconds of Retry-After, if it named any. */
function post(string $url, #[\SensitiveParameter] string $token, array $payload, string $key): array
{
    $retryAfter = null;
    $request = curl_init("$url/v1/notifications");
    curl_setopt_array($request, [
        CURLOPT_POSTFIELDS => json_encode($payload, JSON_THROW_ON_ERROR),
        CURLOPT_HTTPHEADER => [
            'Content-Type: application/json',
            "Authorization: Bearer $token",
            "Idempotency-Key: $key",
        ],
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_CONNECTTIMEOUT => 5,
        CURLOPT_TIMEOUT => 30,
        CURLOPT_HEADERFUNCTION => function ($request, string $line) use (&$retryAfter): int {
            if (preg_match('/^retry-after:\s*(\d+)\s*$/i', $line, $found)) {
                $retryAfter = (int) $found[1];
            }
            return strlen($line);
        },
    ]);
    $body = curl_exec($request);
    return [curl_getinfo($request, CURLINFO_RESPONSE_CODE), (string) $body, $retryAfter];
}

$url = getenv('URL') ?: 'http://127.0.0.1:8000';
$token = getenv('SERVER_TOKEN') ?: throw new RuntimeException('SERVER_TOKEN is not set.');
$payload = json_decode(file_get_contents($argv[1] ?? __DIR__ . '/booking.json'), true, 512, JSON_THROW_ON_ERROR);
$key = $argv[2] ?? bin2hex(random_bytes(16));

$accepted = send($url, $token, $payload, $key);
echo "{$accepted['state']}: {$accepted['id']}\n";
