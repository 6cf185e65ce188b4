/* SPDX-License-Identifier: Apache-2.0 */
/* uri: connection strings, good and bad: what each comes to, what is told of it, and that no secret is ever shown. */
#include "tests/unit/static-plugins.h"

#include <glib/gstdio.h>
#include <gtest/gtest.h>

#include <iterator>
#include <string>
#include <vector>

extern "C" {
#include "core/config/explain.h"
#include "core/config/settings.h"
#include "core/config/uri.h"
}
#include "tools/json-reader.h"

namespace {

/* Each secret of the tables is made of these: one that is cut, or decoded, still has one of them in it. */
const char *const secret_parts[] = { "hunt", "er2", "s3c", "ret9", "aHVudGVyMg" };

const CenoteOption tls_rows[] = {
  { "ca-file", CENOTE_OPTION_PATH, 0, nullptr, nullptr, nullptr, nullptr, "The authorities that are trusted" },
  { "key-password", CENOTE_OPTION_STRING, CENOTE_OPTION_SECRET, nullptr, nullptr, nullptr, nullptr, "Of the key" },
};
const CenoteOption sticky_rows[] = {
  { "replicas", CENOTE_OPTION_INT, 0, "100", "1", "1000", nullptr, "Points of each channel" },
};
const CenotePlugin more_plugins[] = {
  static_plugins::describe (CENOTE_PLUGIN_TRANSPORT, "tls", &static_plugins::secure, tls_rows),
  static_plugins::describe (CENOTE_PLUGIN_PICKER, "sticky", &static_plugins::picker, sticky_rows),
};

CenoteRegistry *
registry_new ()
{
  CenoteRegistry *registry = static_plugins::registry_new ();

  for (const CenotePlugin &plugin : more_plugins)
    cenote_registry_add_static (registry, &plugin, nullptr);
  return registry;
}

/* A config through the whole check. */
class Opened
{
public:
  ~Opened ()
  {
    settings_free (settings);
    g_strfreev (notes);
    cenote_registry_unref (registry);
    cenote_config_unref (config);
    g_clear_error (&error);
  }
  Opened (const Opened &) = delete;

  std::string
  problems () const
  {
    return error != nullptr ? error->message : "";
  }

  const PoolSettings *
  pool () const
  {
    return (const PoolSettings *) g_ptr_array_index (settings->pools, 0);
  }

  std::string
  explained (gboolean json) const
  {
    g_autofree char *text = settings != nullptr ? explain_settings (settings, json) : g_strdup ("");

    return text;
  }

  /* All that is ever said of it. */
  std::string
  said () const
  {
    g_autofree char *noted = notes != nullptr ? g_strjoinv ("\n", notes) : g_strdup ("");

    return problems () + "\n" + noted + "\n" + explained (FALSE) + "\n" + explained (TRUE);
  }

  /* "TRANSPORT TARGET… KEY=VALUE… KIND.KEY=VALUE…", of what the connection string says. */
  std::string
  summary () const
  {
    std::string text = pool ()->transport->plugin->name;

    if (settings == nullptr)
      return problems ();
    for (char **target = pool ()->targets; *target != nullptr; target++)
      text += std::string (" ") + *target;
    for (guint i = POOL_PROFILE; i < N_POOL_OPTIONS; i++)
      if (i != POOL_TRANSPORT)
        add_setting (&text, "", &pool_options.rows[i], &pool ()->options[i]);
    for (const PluginUse *use : { pool ()->transport, pool ()->connector, pool ()->picker, pool ()->backoff })
      for (guint i = 0; i < use->n_settings; i++)
        add_setting (&text, std::string (cenote_plugin_kind_to_string (use->kind)) + ".", &use->plugin->options.rows[i],
                     &use->settings[i]);
    return text;
  }

  CenoteConfig *config = nullptr;
  Settings *settings = nullptr;
  GError *error = nullptr;

protected:
  Opened () : registry (registry_new ()) {}

  void
  check ()
  {
    if (config != nullptr)
      settings = settings_new (config, registry, &notes, &error);
  }

private:
  static void
  add_setting (std::string *text, const std::string &prefix, const CenoteOption *row, const Setting *setting)
  {
    g_autofree char *value = option_format (row, &setting->value);

    if (setting->from_uri)
      *text += " " + prefix + row->name + "=" + value;
  }

  CenoteRegistry *registry;
  char **notes = nullptr;
};

class OpenedUri : public Opened
{
public:
  explicit OpenedUri (const std::string &uri)
  {
    config = cenote_config_new_from_uri (uri.c_str (), &error);
    check ();
  }
};

/* A keyfile with what the program sets. */
class OpenedFile : public Opened
{
public:
  explicit OpenedFile (const std::string &text, std::vector<const char *> program = {})
  {
    g_autoptr (CenoteConfig) file = config_parse (text.c_str (), -1);

    program.push_back (nullptr);
    config = config_overlay (file, program.data ());
    check ();
  }
};

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
  { "chronicle://h?backoff=constant&apiKey=s3c+ret9", "tls dns:///h:35000 backoff=constant size=1 api-key=(secret)",
    CREDENTIALS_API_KEY, "s3c ret9" },
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

#define KNOWN_KEYS                                                                                                     \
  "any key of a pool, transport.KEY, connector.KEY, picker.KEY, backoff.KEY, apiKey, disableTls or autoConnect"
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
  { "grpcs://h?apiKey=", "(uri): [pool:default] apiKey: is empty (leave it out where there is none)" },
  { "grpcs://h?apiKey=s3c%C3%A9ret9", "(uri): [pool:default] apiKey: has a character that no header can carry "
                                      "(letters, digits, and signs of ASCII)" },
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

/* ----------------------------------------------------------------- keyfiles */

const char *const pool = "[pool:a]\nuri=grpc://h:1?size=3&backoff.initial=1s\n";

TEST (UriInAKeyfile, IsWhatItIsAlone)
{
  OpenedFile opened (pool);

  ASSERT_NE (opened.settings, nullptr) << opened.problems ();
  EXPECT_EQ (opened.summary (), "insecure dns:///h:1 size=3 backoff.initial=1s");
  EXPECT_EQ (opened.pool ()->options[POOL_SIZE].line, 2u);
  EXPECT_EQ (opened.pool ()->options[POOL_SIZE].layer, CONFIG_LAYER_KEYFILE);
}

TEST (UriInAKeyfile, TellsItsFaultsAtItsLine)
{
  EXPECT_EQ (OpenedFile ("[pool:a]\nuri=localhost:1\n").problems (),
             "(data):2: [pool:a] uri: the connection string must include a scheme (grpc://HOST:PORT, grpcs://HOST for "
             "TLS, or unix:///PATH)");
  EXPECT_EQ (OpenedFile ("[pool:a]\nuri=grpc://h:1?sise=3&size=x&backoff.inital=1s\n").problems (),
             "(data):2: [pool:a] uri: sise: unknown key (" KNOWN_KEYS "; nearest: size)\n"
             "(data):2: [pool:a] uri: size: 'x' is not a whole number (1 to 10000)\n"
             "(data):2: [pool:a] uri: backoff.inital: unknown key (backoff plugin exponential takes initial, "
             "multiplier, jitter, max, plugin; nearest: initial)");
  EXPECT_EQ (OpenedFile ("[pool:a]\nuri=grpc://h:1?min-channels=5&max-channels=4\n").problems (),
             "(data):2: [pool:a] uri: min-channels: 5 is above uri: max-channels on line 2, which is 4 (min-channels "
             "must not be above max-channels)");
}

TEST (UriInAKeyfile, TakesVariablesOnce)
{
  g_setenv ("CENOTE_TEST_URI", "grpcs://alice:hunter2%24%7BHOME%7D@h", TRUE);
  OpenedFile opened ("[pool:a]\nuri=${CENOTE_TEST_URI}\n");
  g_unsetenv ("CENOTE_TEST_URI");

  ASSERT_NE (opened.settings, nullptr) << opened.problems ();
  EXPECT_STREQ (opened.pool ()->credentials.value, "alice:hunter2${HOME}");
}

TEST (UriInAKeyfile, ContradictsWhatIsWrittenBesideIt)
{
  const std::string uri = "[pool:a]\nuri=grpc://h:1?size=3&autoConnect=no&backoff=constant\n";

  EXPECT_EQ (OpenedFile (uri + "size=4\n").problems (),
             "(data):2: [pool:a] uri: size: contradicts size on line 3 (write one of them)");
  EXPECT_EQ (OpenedFile (uri + "initialization=eager\nbackoff=exponential\n").problems (),
             "(data):2: [pool:a] uri: autoConnect: contradicts initialization on line 3 (write one of them)\n"
             "(data):2: [pool:a] uri: backoff: contradicts backoff on line 4 (write one of them)");
  EXPECT_EQ (OpenedFile (uri + "target=x:1\n").problems (),
             "(data):3: [pool:a] target: contradicts uri on line 2 (write one of them)");
  EXPECT_EQ (OpenedFile (uri + "targets=x:1\n").problems (),
             "(data):3: [pool:a] targets: contradicts uri on line 2 (write one of them)");
  EXPECT_EQ (OpenedFile ("[pool:a]\nuri=grpcs://u:hunter2@h\napi-key=s3cret9\n").problems (),
             "(data):2: [pool:a] uri: has user:password, and the pool has api-key as well (one kind of credentials)");
  EXPECT_EQ (OpenedFile ("[pool:a]\nuri=grpcs://h\ntransport=insecure\n").problems (),
             "(data):3: [pool:a] transport: contradicts the connection string, which is TLS (a transport with TLS, or "
             "grpc://)");
}

TEST (UriInAKeyfile, TakesTheRestFromTheKeyfile)
{
  OpenedFile opened ("[pool:a]\nuri=grpcs://h\ntransport=corp\nconnect-timeout=1s\n[transport:corp]\nca-file=/ca\n");

  ASSERT_NE (opened.settings, nullptr) << opened.problems ();
  EXPECT_STREQ (opened.pool ()->transport->instance, "corp");
  EXPECT_EQ (pool_number (opened.pool (), POOL_CONNECT_TIMEOUT), G_USEC_PER_SEC);
  EXPECT_FALSE (opened.pool ()->options[POOL_CONNECT_TIMEOUT].from_uri);
}

TEST (UriInAKeyfile, SchemesSetOnlyWhatNobodyHasWritten)
{
  OpenedFile opened ("[pool:a]\nuri=chronicle://h\nsize=3\nbackoff=gentle\n[backoff:gentle]\nplugin=constant\n");
  OpenedFile named ("[pool:a]\nuri=chronicle://h\n[backoff:exponential]\ninitial=3s\n");

  ASSERT_NE (opened.settings, nullptr) << opened.problems ();
  EXPECT_EQ (opened.summary (), "tls dns:///h:35000");
  EXPECT_EQ (pool_number (opened.pool (), POOL_SIZE), 3);
  ASSERT_NE (named.settings, nullptr) << named.problems ();
  EXPECT_EQ (named.summary (), "tls dns:///h:35000 size=1") << "the keyfile's group is what somebody has written";
}

/* ------------------------------------------------------ options of plugins */

const char *const gentle = "[backoff:gentle]\nplugin=exponential\ninitial=7s\nmax=9s\n";

TEST (UriPluginOptions, LieOverTheGroupForThisPoolAlone)
{
  OpenedFile opened (std::string ("[pool:a]\nuri=grpc://h:1?backoff=gentle&backoff.initial=1s\n"
                                  "[pool:b]\ntransport=insecure\ntarget=x:1\nbackoff=gentle\n") +
                     gentle);

  ASSERT_NE (opened.settings, nullptr) << opened.problems ();
  const PluginUse *own = opened.pool ()->backoff;
  const PluginUse *shared = ((PoolSettings *) opened.settings->pools->pdata[1])->backoff;
  EXPECT_STREQ (own->instance, "a/gentle");
  EXPECT_STREQ (own->plugin->name, "exponential");
  EXPECT_EQ (own->values[0].number, G_USEC_PER_SEC);
  EXPECT_EQ (own->values[3].number, 9 * G_USEC_PER_SEC);
  EXPECT_STREQ (shared->instance, "gentle");
  EXPECT_EQ (shared->values[0].number, 7 * G_USEC_PER_SEC);
}

TEST (UriPluginOptions, FillWhatTheGroupLacks)
{
  OpenedFile opened ("[pool:a]\nuri=grpcs://h?transport.ca-file=/ca&transport=corp\n"
                     "[transport:corp]\nmin-version=1.3\n");

  ASSERT_NE (opened.settings, nullptr) << opened.problems ();
  EXPECT_STREQ (opened.pool ()->transport->values[0].text, "/ca");
}

TEST (UriPluginOptions, FaultsOfTheGroupAreTheGroups)
{
  EXPECT_EQ (OpenedFile ("[pool:a]\nuri=grpc://h:1?backoff=gentle&backoff.max=x\n[backoff:gentle]\n"
                         "plugin=exponential\ninitial=y\n")
               .problems (),
             "(data):2: [pool:a] uri: backoff.max: 'x' is not a duration (a number and us, ms, s, min or h, e.g. "
             "500ms)\n"
             "(data):5: [backoff:gentle] initial: 'y' is not a duration (a number and us, ms, s, min or h, e.g. "
             "500ms)");
}

TEST (UriPluginOptions, PathsAreBesideTheKeyfile)
{
  g_autofree char *directory = g_dir_make_tmp ("cenote-uri.XXXXXX", nullptr);
  const std::string path = std::string (directory) + "/a.conf";
  g_autoptr (GError) error = nullptr;

  ASSERT_TRUE (g_file_set_contents (path.c_str (), "[pool:a]\nuri=grpcs://h?transport.ca-file=ca.pem\n", -1, nullptr));
  {
    g_autoptr (CenoteConfig) config = cenote_config_new_from_file (path.c_str (), &error);
    g_autoptr (CenoteRegistry) registry = registry_new ();
    g_autoptr (Settings) settings = settings_new (config, registry, nullptr, &error);

    ASSERT_NE (settings, nullptr) << error->message;
    EXPECT_EQ (((PoolSettings *) settings->pools->pdata[0])->transport->values[0].text,
               std::string (directory) + "/ca.pem");
  }
  g_unlink (path.c_str ());
  g_rmdir (directory);
}

/* -------------------------------------------------------------- the program */

TEST (UriAndTheProgram, ItsSettingsWin)
{
  OpenedFile opened (pool, { "pool:a/size=9" });

  ASSERT_NE (opened.settings, nullptr) << opened.problems ();
  EXPECT_EQ (pool_number (opened.pool (), POOL_SIZE), 9);
  EXPECT_FALSE (opened.pool ()->options[POOL_SIZE].from_uri);
}

TEST (UriAndTheProgram, ItsStringReplacesTheKeyfiles)
{
  OpenedFile opened (std::string (pool) + "connect-timeout=1s\n", { "pool:a/uri=grpc://other:2?connect-timeout=2s" });
  OpenedFile healed ("[pool:a]\nuri=nonsense\n", { "pool:a/uri=grpc://other:2" });

  ASSERT_NE (opened.settings, nullptr) << opened.problems ();
  EXPECT_EQ (opened.summary (), "insecure dns:///other:2 connect-timeout=2s") << "nothing is left of the keyfile's";
  EXPECT_EQ (opened.pool ()->options[POOL_CONNECT_TIMEOUT].layer, CONFIG_LAYER_PROGRAM);
  EXPECT_EQ (pool_number (opened.pool (), POOL_SIZE), 5);
  EXPECT_NE (healed.settings, nullptr) << healed.problems ();
}

TEST (UriAndTheProgram, ContradictsItsOwnSettings)
{
  EXPECT_EQ (OpenedFile ("[pool:a]\n", { "pool:a/uri=grpc://h:1?size=2", "pool:a/size=3" }).problems (),
             "(program): [pool:a] uri: size: contradicts size set by the program (write one of them)");
}

TEST (UriAndTheProgram, LiesOverAStringThatIsTheConfig)
{
  const char *const settings[] = { "pool:default/size=9", nullptr };
  const char *const again[] = { "pool:default/uri=grpc://other:2", nullptr };
  g_autoptr (CenoteConfig) base = cenote_config_new_from_uri ("grpc://h:1?size=3&critical=no", nullptr);
  g_autoptr (CenoteRegistry) registry = registry_new ();
  g_autoptr (CenoteConfig) sized = cenote_config_new_with (base, settings, nullptr);
  g_autoptr (CenoteConfig) moved = cenote_config_new_with (sized, again, nullptr);
  g_autofree char *first = cenote_config_explain (sized, registry, FALSE, nullptr);
  g_autofree char *second = cenote_config_explain (moved, registry, FALSE, nullptr);

  EXPECT_NE (strstr (first, "\nsize=9 "), nullptr) << first;
  EXPECT_NE (strstr (first, "\ncritical=no "), nullptr) << first;
  EXPECT_NE (strstr (second, "\nsize=9 "), nullptr) << second;
  EXPECT_NE (strstr (second, "\ncritical=yes "), nullptr) << second;
  EXPECT_NE (strstr (second, "# dials dns:///other:2\n"), nullptr) << second;
}

/* ------------------------------------------------------------------ explain */

/* The source that explain names behind PAIR. */
std::string
source_of (const std::string &text, const std::string &pair)
{
  size_t at = ("\n" + text).find ("\n" + pair + " ");

  if (at == std::string::npos)
    return "(no such line)";
  const std::string line = text.substr (at, text.find ('\n', at) - at);
  return line.substr (line.find_first_not_of (' ', pair.size ()));
}

TEST (UriExplain, SaysWhatComesFromTheString)
{
  const std::string alone = OpenedUri ("grpc://h:1?size=3&backoff.initial=1s").explained (FALSE),
                    file = OpenedFile (pool).explained (FALSE);

  EXPECT_NE (alone.find ("\n[backoff:default/exponential]\n"), std::string::npos) << alone;
  EXPECT_EQ (source_of (alone, "size=3"), "(uri)");
  EXPECT_EQ (source_of (alone, "uri=(secret)"), "(uri)");
  EXPECT_EQ (source_of (alone, "transport=insecure"), "(uri)");
  EXPECT_EQ (source_of (alone, "initial=1s"), "(uri)");
  EXPECT_EQ (source_of (alone, "max=10s"), "default");
  EXPECT_NE (file.find ("(data):2 (uri)\n"), std::string::npos) << file;
  EXPECT_NE (
    OpenedUri ("grpc://h:1?size=3").explained (TRUE).find ("{\"key\":\"size\",\"value\":\"3\",\"source\":\"uri\""),
    std::string::npos);
}

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
TEST (UriExplain, RoundTrips)
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
