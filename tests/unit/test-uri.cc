/* SPDX-License-Identifier: Apache-2.0 */
/* uri: connection strings, good and bad: what each comes to, what is told of it, and that no secret is ever shown. */
#include <gtest/gtest.h>

#include <iterator>

#include "tests/unit/opened-uri.h"
#include "tools/json-reader.h"

namespace {

using opened_uri::OpenedFile;
using opened_uri::OpenedUri;

/* Each secret of the tables is made of these: one that is cut, or decoded, still has one of them in it. */
const char *const secret_parts[] = { "hunt", "er2", "s3c", "ret9", "aHVudGVyMg" };

/* ---------------------------------------------------------------- the table */

struct Good {
  const char *uri;
  const char *summary;
  CredentialsKind kind = CREDENTIALS_NONE;
  const char *credentials = nullptr;
};

const Good good[] = {
  { "grpc://localhost:50051", "insecure dns:///localhost:50051" },
  { "GRPC://localhost:50051", "insecure dns:///localhost:50051" },
  { "grpc://localhost:50051/", "insecure dns:///localhost:50051" },
  { "grpc://localhost:50051?", "insecure dns:///localhost:50051" },
  { "grpc://localhost:50051/?size=2", "insecure dns:///localhost:50051 size=2" },
  { "grpc://127.0.0.1:1", "insecure dns:///127.0.0.1:1" },
  { "grpc://a_b-c.example:65535", "insecure dns:///a_b-c.example:65535" },
  { "grpc://h1:1,h2:2,h3:3", "insecure dns:///h1:1 dns:///h2:2 dns:///h3:3" },
  { "grpc://h1:1,h2:2?size=4", "insecure dns:///h1:1 dns:///h2:2 size=4" },
  { "grpc://[::1]:50051", "insecure dns:///[::1]:50051" },
  { "grpc://[2001:db8::1]:1,h:2,[::2]:3", "insecure dns:///[2001:db8::1]:1 dns:///h:2 dns:///[::2]:3" },
  { "grpc://[fe80::1%25lo]:1", "insecure dns:///[fe80::1%25lo]:1" },
  { "grpcs://users.example.com", "tls dns:///users.example.com:443" },
  { "grpcs://h1,h2:8443,[::1]", "tls dns:///h1:443 dns:///h2:8443 dns:///[::1]:443" },
  { "GrpcS://h?transport.ca-file=/etc/ca.pem", "tls dns:///h:443 transport.ca-file=/etc/ca.pem" },
  { "grpcs://h?transport=corp&transport.ca-file=/ca", "corp dns:///h:443 transport.ca-file=/ca" },
  { "grpc://h:1?transport=mock&transport.script=ok;ok", "mock dns:///h:1 transport.script=ok;ok" },
  { "unix:///run/app.sock", "unix unix:///run/app.sock" },
  { "unix:///run/a%20b.sock?size=2", "unix unix:///run/a%20b.sock size=2" },
  { "UNIX:///run/app.sock?disableTls=true", "unix unix:///run/app.sock" },
  { "grpc://h:1?size=7&connect-timeout=1500ms&critical=no",
    "insecure dns:///h:1 size=7 critical=no connect-timeout=1500ms" },
  { "grpc://h:1?profile=local", "insecure dns:///h:1 profile=local" },
  { "grpcs://h?profile=production", "tls dns:///h:443 profile=production" },
  { "grpc://h:1?telemetry=", "insecure dns:///h:1 telemetry=" },
  { "grpc://h:1?telemetry=log;jsonl", "insecure dns:///h:1 telemetry=log;jsonl" },
  { "grpc://h:1?health-check=grpc&health-service=a%26b", "insecure dns:///h:1 health-check=grpc health-service=a&b" },
  { "grpc://h:1?health-service=a+b", "insecure dns:///h:1 health-service=a+b" },
  { "grpc://h:1?health-service=a%2Bb%3D=", "insecure dns:///h:1 health-service=a+b==" },
  { "grpc://h:1?health-service=%24%7BHOME%7D", "insecure dns:///h:1 health-service=$${HOME}" },
  { "grpc://h:1?health-service=${HOME}", "insecure dns:///h:1 health-service=$${HOME}" },
  { "grpc://h:1?backoff.initial=1s", "insecure dns:///h:1 backoff.initial=1s" },
  { "grpc://h:1?backoff=constant&backoff.delay=2s", "insecure dns:///h:1 backoff=constant backoff.delay=2s" },
  { "grpc://h:1?backoff.delay=2s&backoff=constant", "insecure dns:///h:1 backoff=constant backoff.delay=2s" },
  { "grpc://h:1?picker=sticky&picker.replicas=7", "insecure dns:///h:1 picker=sticky picker.replicas=7" },
  { "grpc://h:1?autoConnect=false", "insecure dns:///h:1 initialization=manual" },
  { "grpc://h:1?autoConnect=TRUE", "insecure dns:///h:1 initialization=eager" },
  { "grpc://h:1?disableTls=true", "insecure dns:///h:1" },
  { "grpcs://h?disableTls=false", "tls dns:///h:443" },
  { "grpcs://h?apiKey=s3cret9", "tls dns:///h:443 api-key=(secret)", CREDENTIALS_API_KEY, "s3cret9" },
  { "grpcs://h?api-key=s3c%26ret9%3D", "tls dns:///h:443 api-key=(secret)", CREDENTIALS_API_KEY, "s3c&ret9=" },
  { "grpcs://h?apiKey=aHVudGVyMg==", "tls dns:///h:443 api-key=(secret)", CREDENTIALS_API_KEY, "aHVudGVyMg==" },
  { "grpcs://h?token-file=/run/token", "tls dns:///h:443 token-file=/run/token", CREDENTIALS_TOKEN_FILE, "/run/token" },
  { "grpcs://alice:hunter2@h", "tls dns:///h:443", CREDENTIALS_BASIC, "alice:hunter2" },
  { "grpcs://alice@h", "tls dns:///h:443", CREDENTIALS_BASIC, "alice:" },
  { "grpcs://alice:@h", "tls dns:///h:443", CREDENTIALS_BASIC, "alice:" },
  { "grpcs://al%40ice:hunt%3Aer2%2F%25@h1,h2", "tls dns:///h1:443 dns:///h2:443", CREDENTIALS_BASIC,
    "al@ice:hunt:er2/%" },
  { "grpcs://alice:hunt:er2+@h", "tls dns:///h:443", CREDENTIALS_BASIC, "alice:hunt:er2+" },
  { "grpc://alice:hunter2@h:1?allow-plaintext-credentials=yes", "insecure dns:///h:1 allow-plaintext-credentials=yes",
    CREDENTIALS_BASIC, "alice:hunter2" },
  { "grpcs://h?transport.key-password=hunter2", "tls dns:///h:443 transport.key-password=(secret)" },
  { "chronicle://localhost",
    "tls dns:///localhost:35000 backoff=exponential size=1 backoff.initial=1s backoff.multiplier=2 "
    "backoff.jitter=0 backoff.max=10s" },
  { "Chronicle://h:1,[::1]?disableTls=True",
    "insecure dns:///h:1 dns:///[::1]:35000 backoff=exponential size=1 backoff.initial=1s backoff.multiplier=2 "
    "backoff.jitter=0 backoff.max=10s" },
  { "chronicle://h?disableTls=false&size=3&backoff.max=1min",
    "tls dns:///h:35000 backoff=exponential size=3 backoff.initial=1s backoff.multiplier=2 backoff.jitter=0 "
    "backoff.max=1min" },
  { "chronicle://h?backoff=constant", "tls dns:///h:35000 backoff=constant size=1" },
  { "chronicle://h?backoff=constant&apiKey=s3c%2Bret9&health-service=a+b",
    "tls dns:///h:35000 backoff=constant size=1 health-service=a b api-key=(secret)", CREDENTIALS_API_KEY, "s3c+ret9" },
};

TEST (Uri, GoodOnes)
{
  for (const Good &row : good) {
    OpenedUri opened (row.uri);

    ASSERT_NE (opened.settings, nullptr) << row.uri << ": " << opened.problems ();
    EXPECT_EQ (opened.summary (), row.summary) << row.uri;
    EXPECT_STREQ (opened.pool ()->name, "default");
    EXPECT_EQ (opened.pool ()->credentials.kind, row.kind) << row.uri;
    EXPECT_STREQ (opened.pool ()->credentials.value, row.credentials) << row.uri;
  }
}

struct Bad {
  const char *uri;
  const char *problems;
};

#define NO_SCHEME                                                                                                      \
  "(uri): the connection string must include a scheme (grpc://HOST:PORT, grpcs://HOST for TLS, or unix:///PATH)"
#define NO_HOST "(uri): the connection string must include a host (HOST:PORT)"
#define BAD_PORT "(uri): the port of the host must be between 1 and 65535"
#define BAD_HOST "(uri): the host cannot be read (a name, an IPv4 address, or an IPv6 address in brackets)"
#define NO_BRACKETS                                                                                                    \
  "(uri): the host has more than one ':' (hosts are separated by ',', and an IPv6 address needs brackets: "            \
  "[ADDRESS]:PORT)"
#define FRAGMENT                                                                                                       \
  "(uri): the connection string has a fragment, which would mean nothing (a '#' in a value is written %23)"
#define PATH                                                                                                           \
  "(uri): the connection string has a path, which would mean nothing (SCHEME://HOST:PORT?KEY=VALUE; a '/' in the "     \
  "user or the password is written %2F)"
#define UNDECODABLE " cannot be decoded (%XX with two hexadecimal digits; UTF-8 without control characters)"
#define PLAINTEXT "would be sent in plaintext (a transport with TLS, or allow-plaintext-credentials=yes)"
#define NOT_SHOWN                                                                                                      \
  "(uri): unknown key in the query, not shown lest it is part of a secret (" KNOWN_KEYS                                \
  "; '&' in a value is written %26, '?' %3F and '@' %40)"

const Bad bad[] = {
  /* the scheme */
  { "", NO_SCHEME },
  { "localhost:50051", NO_SCHEME },
  { "alice:hunter2@localhost:50051", NO_SCHEME },
  { "//localhost:50051", NO_SCHEME },
  { "://localhost:50051", NO_SCHEME },
  { "grpc:/localhost:50051", NO_SCHEME },
  { "unix:/run/app.sock", NO_SCHEME },
  { "http://localhost:50051", "(uri): unsupported scheme 'http' (grpc, grpcs, unix or chronicle)" },
  { "gprc://localhost:50051", "(uri): unsupported scheme 'gprc' (grpc, grpcs, unix or chronicle; nearest: grpc)" },
  { "dns:///localhost:50051", "(uri): unsupported scheme 'dns' (grpc, grpcs, unix or chronicle)" },
  { "chronicle+srv://example.com",
    "(uri): chronicle+srv:// is not supported, because SRV records are not looked up (name the hosts: "
    "HOST:PORT,HOST:PORT)" },
  { "grpc+srv://example.com",
    "(uri): grpc+srv:// is not supported, because SRV records are not looked up (name the hosts: "
    "HOST:PORT,HOST:PORT)" },
  /* hosts and ports */
  { "grpc://", NO_HOST },
  { "grpc:///", NO_HOST },
  { "grpc://:50051", NO_HOST },
  { "grpcs://?size=3", NO_HOST },
  { "grpcs://alice:hunter2@", NO_HOST },
  { "grpc://h1:1,,h2:2", "(uri): the connection string must include a host, and lacks host 2 (HOST:PORT)" },
  { "grpc://h1:1,", "(uri): the connection string must include a host, and lacks host 2 (HOST:PORT)" },
  { "grpc://,h1:1", "(uri): the connection string must include a host, and lacks host 1 (HOST:PORT)" },
  { "grpc://h",
    "(uri): the host names no port (HOST:PORT; only grpcs:// has one for all, 443, and chronicle://, 35000)" },
  { "grpc://h1:1,h2",
    "(uri): host 2 names no port (HOST:PORT; only grpcs:// has one for all, 443, and chronicle://, 35000)" },
  { "grpc://h:http", BAD_PORT },
  { "grpc://h:", BAD_PORT },
  { "grpc://h:0", BAD_PORT },
  { "grpc://h:99999", BAD_PORT },
  { "grpc://h:65536", BAD_PORT },
  { "grpc://h:-1", BAD_PORT },
  { "grpc://h:+1", BAD_PORT },
  { "grpc://h:80.0", BAD_PORT },
  { "grpc://h:99999999999999999999", BAD_PORT },
  { "chronicle://h:35000x", BAD_PORT },
  { "grpc://h1:1,h2:x,h3:0",
    "(uri): the port of host 2 must be between 1 and 65535\n(uri): the port of host 3 must be between 1 and 65535" },
  { "grpcs://2001:db8::1", NO_BRACKETS },
  { "grpc://::1:50051", NO_BRACKETS },
  { "grpc://h:1:2", NO_BRACKETS },
  { "grpc://[::1:50051", BAD_HOST },
  { "grpc://[::1]x:50051", BAD_HOST },
  { "grpc://[localhost]:50051", BAD_HOST },
  { "grpc://[]:50051", BAD_HOST },
  { "grpc://[fe80::1%lo]:1", BAD_HOST },
  { "grpc://h*:1", BAD_HOST },
  { "grpc://h%20h:1", BAD_HOST },
  { "grpc://h1:1;h2:2", NO_BRACKETS },
  { "grpc://h h:1", "(uri): the connection string has a blank or a control character in it (a blank is written %20)" },
  { "grpc://h:1\n", "(uri): the connection string has a blank or a control character in it (a blank is written %20)" },
  { "grpc://h:1?health-service=\xff", "(uri): the connection string is not UTF-8" },
  { "grpc://h:1,h:1", "(uri): [pool:default] uri: 'h:1' is named twice (once is enough)" },
  { "unix://run/app.sock", "(uri): unix:// takes a path and nothing before it (unix:///PATH)" },
  { "unix://", "(uri): unix:// takes a path and nothing before it (unix:///PATH)" },
  { "unix:///", "(uri): unix:// takes a path and nothing before it (unix:///PATH)" },
  { "unix:///run/a%zz", "(uri): the path" UNDECODABLE },
  { "unix:///run/"
    "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123",
    "(uri): [pool:default] uri: the path of the socket has 109 bytes (at most 107)" },
  /* what would mean nothing */
  { "grpc://h:1/service", PATH },
  { "grpc://h:1//", PATH },
  { "grpc://h:1#size=3", FRAGMENT },
  { "grpcs://h?apiKey=s3c#ret9", FRAGMENT },
  /* user and password */
  { "grpcs://@h", "(uri): the user before the '@' is empty (USER:PASSWORD@HOST)" },
  { "grpcs://:hunter2@h", "(uri): the user before the '@' is empty (USER:PASSWORD@HOST)" },
  { "grpcs://alice:hunt@er2@h",
    "(uri): there is more than one '@' before the hosts (one in the user or the password is written %40)" },
  { "grpcs://alice:hunt/er2@h", PATH "\n" BAD_PORT },
  { "grpcs://alice:hunt?er2@h", BAD_PORT "\n(uri): key 1 of the query is not KEY=VALUE (an '&' in a value is written "
                                         "%26)" },
  { "grpcs://alice:hunt#er2@h", FRAGMENT },
  { "grpcs://alice:1?er2=hunt@h", NOT_SHOWN },
  { "grpcs://alice:hunt%er2@h", "(uri): the password" UNDECODABLE },
  { "grpcs://al%00ice:hunter2@h", "(uri): the user" UNDECODABLE },
  { "grpcs://alice:hunter2%FF@h", "(uri): the password" UNDECODABLE },
  { "grpcs://alice:hunter2%0A@h", "(uri): the password" UNDECODABLE },
  { "grpcs://al%3Aice:hunter2@h", "(uri): the user has a ':' in it, which Basic credentials cannot carry" },
  { "grpcs://hunt%3Aer2%40h:x", BAD_HOST },
  { "grpc://alice:hunter2@h:1", "(uri): [pool:default] uri: user:password " PLAINTEXT },
  { "grpc://h:1?apiKey=s3cret9", "(uri): [pool:default] apiKey: " PLAINTEXT },
  { "grpc://h:1?token-file=/t", "(uri): [pool:default] token-file: " PLAINTEXT },
  { "unix:///run/a?apiKey=s3cret9", "(uri): [pool:default] apiKey: " PLAINTEXT },
  { "chronicle://h?disableTls=true&apiKey=s3cret9", "(uri): [pool:default] apiKey: " PLAINTEXT },
  { "grpcs://alice:hunter2@h?apiKey=s3cret9",
    "(uri): has user:password, and the pool has api-key as well (one kind of credentials)" },
  { "grpcs://alice:hunter2@h?token-file=/t",
    "(uri): has user:password, and the pool has token-file as well (one kind of credentials)" },
  { "grpcs://h?token-file=/t&apiKey=s3cret9",
    "(uri): [pool:default] token-file: contradicts apiKey (write one of them)" },
  { "grpcs://h?apiKey=", "(uri): [pool:default] apiKey: api-key is empty" },
  { "grpcs://h?apiKey=s3c%C3%A9ret9", "(uri): [pool:default] apiKey: api-key has at place 4 a byte that no header "
                                      "may have (expected one line of printable ASCII without blanks)" },
  { "grpcs://h?apiKey=s3c%0Aret9", "(uri): the value of key 1 of the query" UNDECODABLE },
  { "grpcs://h?apiKey=s3c&ret9", "(uri): key 2 of the query is not KEY=VALUE (an '&' in a value is written %26)" },
  { "grpcs://h?apiKey=s3c&ret9=", NOT_SHOWN },
  { "grpcs://h?transport.key-password=hunt&er2=x", NOT_SHOWN },
  { "chronicle://alice:hunter2@h",
    "(uri): user:password with chronicle:// means OAuth2 client credentials, which this version does not have "
    "(apiKey=KEY)" },
  /* the query */
  { "grpc://h:1?sise=3", "(uri): sise: unknown key (" KNOWN_KEYS "; nearest: size)" },
  { "grpc://h:1?autoconnect=false", "(uri): autoconnect: unknown key (" KNOWN_KEYS "; nearest: autoConnect)" },
  { "grpc://h:1?xyzzy=3", "(uri): xyzzy: unknown key (" KNOWN_KEYS ")" },
  { "grpc://h:1?telemetry.level=debug", "(uri): telemetry.level: unknown key (" KNOWN_KEYS ")" },
  { "grpc://h:1?backoff.=1", "(uri): backoff.: unknown key (" KNOWN_KEYS "; nearest: backoff)" },
  { "grpc://h:1?backoff.inital=1s",
    "(uri): [pool:default] backoff.inital: unknown key (backoff plugin exponential takes initial, multiplier, jitter, "
    "max, plugin; nearest: initial)" },
  { "grpc://h:1?backoff.plugin=constant",
    "(uri): backoff.plugin: is no option (the key without .plugin names the plugin)" },
  { "grpc://h:1?backoff.initial=soon",
    "(uri): [pool:default] backoff.initial: 'soon' is not a duration (a number and us, ms, s, min or h, e.g. 500ms)" },
  { "grpc://h:1?connector.x=1",
    "(uri): [pool:default] connector.x: unknown key (connector plugin persistent takes plugin)" },
  { "grpc://h:1?size=3&size=4", "(uri): size: is given twice (leave one out)" },
  { "grpc://h:1?size=3&size=3", "(uri): size: is given twice (leave one out)" },
  { "grpc://h:1?backoff.max=1s&backoff.max=2s", "(uri): backoff.max: is given twice (leave one out)" },
  { "grpc://h:1?disableTls=true&disableTls=true", "(uri): disableTls: is given twice (leave one out)" },
  { "grpc://h:1?autoConnect=true&initialization=manual",
    "(uri): initialization: means the same as autoConnect (leave one out)" },
  { "grpcs://h?apiKey=s3c&api-key=ret9", "(uri): api-key: means the same as apiKey (leave one out)" },
  { "grpc://h:1?size", "(uri): key 1 of the query is not KEY=VALUE (an '&' in a value is written %26)" },
  { "grpc://h:1?=3", "(uri): key 1 of the query is not KEY=VALUE (an '&' in a value is written %26)" },
  { "grpc://h:1?size=3&", "(uri): key 2 of the query is not KEY=VALUE (an '&' in a value is written %26)" },
  { "grpc://h:1?size=three", "(uri): [pool:default] size: 'three' is not a whole number (1 to 10000)" },
  { "grpc://h:1?size=0", "(uri): [pool:default] size: '0' is below the minimum 1 (1 to 10000)" },
  { "grpc://h:1?health-service=%zz", "(uri): the value of key 1 of the query" UNDECODABLE },
  { "grpc://h:1?target=x:1",
    "(uri): target: contradicts the connection string, which names the addresses itself (leave it out)" },
  { "grpc://h:1?uri=grpc://x:1",
    "(uri): uri: contradicts the connection string, which names the addresses itself (leave it out)" },
  { "grpc://h:1?disableTls=maybe", "(uri): disableTls: is not a boolean (true/false, yes/no, on/off or 1/0)" },
  { "grpcs://h?disableTls=true", "(uri): disableTls: contradicts grpcs://, which is TLS (write grpc://)" },
  { "grpc://h:1?disableTls=false", "(uri): disableTls: contradicts the scheme, which is without TLS (write grpcs://)" },
  { "grpcs://h?transport=insecure",
    "(uri): [pool:default] transport: contradicts the connection string, which is TLS (a transport with TLS, or "
    "grpc://)" },
  { "grpc://h:1?transport=tls",
    "(uri): [pool:default] transport: contradicts the connection string, which is without TLS (another transport, or "
    "grpcs://)" },
  { "grpc://h:1?profile=production",
    "(uri): [pool:default] uri: contradicts profile=production, which is TLS (profile=local, test or custom, or "
    "another transport)" },
  { "grpcs://h?transport=crop",
    "(uri): [pool:default] transport: no group [transport:crop] and no transport plugin 'crop' (nearest: corp)" },
  { "grpcs://h?transport=corp",
    "(uri): [pool:default] transport: the plugin needs ca-file (write it into a group for the plugin: The authorities "
    "that are trusted)" },
  { "chronicle://h?loadBalancer=random",
    "(uri): loadBalancer: is Chronicle's word for a choice of hosts (the connector and the picker make it: "
    "connector=NAME, picker=NAME)" },
  { "chronicle://h?authPort=8080",
    "(uri): authPort: is Chronicle's word for OAuth2, which this version does not have" },
  { "grpc://h:1?connector=caching",
    "(uri): [pool:default] uri: contradicts connector=caching, whose addresses come from dial() (leave it out)" },
};

TEST (Uri, BadOnes)
{
  for (const Bad &row : bad) {
    OpenedUri opened (row.uri);

    EXPECT_EQ (opened.settings, nullptr) << row.uri;
    EXPECT_EQ (opened.problems (), row.problems) << row.uri;
  }
}

TEST (Uri, TheTableIsLong)
{
  EXPECT_GE (std::size (good) + std::size (bad), 60u);
}

/* ------------------------------------------------------------------ secrets */

testing::AssertionResult
tells_no_secret (const std::string &said)
{
  for (const char *part : secret_parts)
    if (said.find (part) != std::string::npos)
      return testing::AssertionFailure () << "'" << part << "' in: " << said;
  return testing::AssertionSuccess ();
}

/* The string as a config of its own, as a keyfile's value and as the program's setting. */
void
expect_no_secret (const std::string &uri)
{
  const std::string setting = "pool:a/uri=" + uri;

  EXPECT_TRUE (tells_no_secret (OpenedUri (uri).said ())) << uri;
  if (!g_utf8_validate (uri.c_str (), -1, nullptr) || uri.find ('\n') != std::string::npos)
    return;
  EXPECT_TRUE (tells_no_secret (OpenedFile ("[pool:a]\nuri=" + uri + "\n").said ())) << uri;
  EXPECT_TRUE (tells_no_secret (OpenedFile ("[pool:a]\nuri=" + uri + "\nsize=x\ntarget=h:1\n").said ())) << uri;
  EXPECT_TRUE (tells_no_secret (OpenedFile ("[pool:a]\n", { setting.c_str () }).said ())) << uri;
}

TEST (UriSecrets, AreInNoOutputOfTheWholeTable)
{
  guint n = 0;

  for (const Good &row : good)
    expect_no_secret (row.uri);
  for (const Bad &row : bad)
    expect_no_secret (row.uri);
  for (const Good &row : good)
    n += !tells_no_secret (row.uri);
  for (const Bad &row : bad)
    n += !tells_no_secret (row.uri);
  EXPECT_GE (n, 30u) << "the table has secrets to tell";
}

/* Where a line or a setting is not what it was meant to be, its text is not told either. */
TEST (UriSecrets, AreInNoOutputOfWhatIsNotEvenAKey)
{
  const std::string uri = "grpcs://alice:hunter2@h?size=3";
  const std::string colon = "pool:a/uri:" + uri, bare = "pool:a/uri grpcs://alice:hunter2@h";

  EXPECT_EQ (OpenedFile ("[pool:a]\nuri: " + uri + "\n").problems (),
             "(data):2: [pool:a]: the line has no = behind its key (key=value)");
  EXPECT_TRUE (tells_no_secret (OpenedFile ("[pool:a]\nuri " + uri + "\n").said ()));
  EXPECT_TRUE (tells_no_secret (OpenedFile ("[pool:a]\n" + uri + "\n").said ()));
  EXPECT_TRUE (tells_no_secret (OpenedFile (uri + "\n[pool:a]\ntarget=h:1\n").said ()));
  EXPECT_TRUE (tells_no_secret (OpenedFile ("[pool:a]\ntarget=h:1\n", { uri.c_str () }).said ()));
  EXPECT_TRUE (tells_no_secret (OpenedFile ("[pool:a]\ntarget=h:1\n", { colon.c_str () }).said ()));
  EXPECT_TRUE (tells_no_secret (OpenedFile ("[pool:a]\ntarget=h:1\n", { bare.c_str () }).said ()));
  EXPECT_TRUE (tells_no_secret (OpenedFile ("[pool:a]\ntarget=" + uri + "\n").said ()));
  EXPECT_TRUE (tells_no_secret (OpenedFile ("[pool:a]\ntarget=alice:hunter2@h:1\n").said ()));
  EXPECT_TRUE (tells_no_secret (OpenedFile ("[pool:a]\ntarget=dns:///h:1?apiKey=s3cret9\n").said ()));
  EXPECT_TRUE (tells_no_secret (OpenedFile ("[pool:a]\ntargets=h:1;" + uri + "\n").said ()));
}

TEST (UriSecrets, AreInNoErrorOfAFileThatIsNotThere)
{
  g_autoptr (GError) error = nullptr;

  EXPECT_EQ (cenote_config_new_from_file ("grpcs://alice:hunter2@h", &error), nullptr);
  EXPECT_TRUE (g_error_matches (error, CENOTE_ERROR, CENOTE_ERROR_NOT_FOUND));
  EXPECT_STREQ (error->message, "a connection string is not the name of a keyfile (cenote_config_new_from_uri() takes "
                                "one, and so does the key uri of a pool)");
}

/* --------------------------------------------------------------- round trip */

using Members = std::vector<std::pair<std::string, std::string>>;

/* The options of one object of the explanation that have a value; none that another form has in another place. */
Members
read_options (GVariant *object)
{
  static const char *const elsewhere[] = { "uri", "transport", "connector", "picker", "backoff", nullptr };
  g_autoptr (GVariant) options = json_get_array (object, "options");
  Members members;

  for (gsize i = 0; i < g_variant_n_children (options); i++) {
    g_autoptr (GVariant) option = json_item (options, i);
    const char *key = json_get_string (option, "key"), *value = json_get_string (option, "value");

    if (value != nullptr && strcmp (value, "(secret)") != 0 && !g_strv_contains (elsewhere, key))
      members.emplace_back (key, value);
  }
  return members;
}

/* What an explanation says of its one pool. */
struct Explained {
  explicit Explained (const std::string &json)
  {
    g_autoptr (GVariant) whole = json_read (json.c_str (), nullptr);
    g_autoptr (GVariant) pools = json_get_array (whole, "pools");
    g_autoptr (GVariant) first = json_item (pools, 0);
    g_autoptr (GVariant) plugins = json_get_array (first, "plugins");
    g_autoptr (GVariant) addresses = json_get_array (first, "targets");
    g_autofree char *text = g_variant_print (addresses, FALSE);

    targets = text;
    options = read_options (first);
    for (gsize i = 0; i < g_variant_n_children (plugins); i++) {
      g_autoptr (GVariant) plugin = json_item (plugins, i);
      const std::string kind = json_get_string (plugin, "kind");

      if (kind == "telemetry")
        continue;
      groups += "[" + kind + ":own]\nplugin=" + json_get_string (plugin, "plugin") + "\n";
      uses += kind + "=own\n";
      for (const auto &[key, value] : read_options (plugin))
        groups += key + "=" + value + "\n";
    }
  }

  /* The same in a keyfile's words. */
  std::string
  keyfile () const
  {
    std::string text = "[pool:default]\n" + uses;

    for (const auto &[key, value] : options)
      text += key + "=" + value + "\n";
    return text + groups;
  }

  std::string targets, groups, uses;
  Members options;
};

/* String → explanation → keyfile → the same explanation. */
TEST (Uri, RoundTripsThroughExplain)
{
  for (const Good &row : good) {
    Explained once (OpenedUri (row.uri).explained (TRUE));
    OpenedFile again (once.keyfile ());

    ASSERT_NE (again.settings, nullptr) << row.uri << "\n" << once.keyfile () << again.problems ();
    Explained twice (again.explained (TRUE));
    EXPECT_EQ (twice.targets, once.targets) << row.uri;
    EXPECT_EQ (twice.options, once.options) << row.uri;
    EXPECT_EQ (twice.groups, once.groups) << row.uri;
  }
}

} // namespace
