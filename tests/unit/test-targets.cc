/* SPDX-License-Identifier: Apache-2.0 */
/* targets: every form that there is, made whole, and every refusal. */
#include "core/config/targets.h"

#include <gtest/gtest.h>

#include <string>

namespace {

const TargetRules strict = { 0, FALSE }, production = { 443, FALSE }, own = { 0, TRUE };

std::string
normal (const std::string &text, const TargetRules &rules = strict)
{
  g_autofree char *problem = nullptr;
  g_autofree char *target = targets_normalise (text.c_str (), &rules, &problem);

  EXPECT_NE (target == nullptr, problem == nullptr) << text;
  return target != nullptr ? target : std::string ("problem: ") + problem;
}

TEST (Targets, ABareHostAndPortIsDns)
{
  EXPECT_EQ (normal ("users.example.com:443"), "dns:///users.example.com:443");
  EXPECT_EQ (normal ("localhost:1"), "dns:///localhost:1");
  EXPECT_EQ (normal ("10.0.0.1:65535"), "dns:///10.0.0.1:65535");
  EXPECT_EQ (normal ("[::1]:50051"), "dns:///[::1]:50051");
  EXPECT_EQ (normal ("[fe80::1%eth0]:50051"), "dns:///[fe80::1%eth0]:50051");
  EXPECT_EQ (normal ("my_service-1:80"), "dns:///my_service-1:80");
  EXPECT_EQ (normal ("bücher.example:80"), "dns:///bücher.example:80");
}

TEST (Targets, ASchemeStays)
{
  for (const char *text :
       { "dns:///users.example.com:443", "dns:users.example.com:443", "dns://8.8.8.8/users.example.com:443",
         "dns:///[::1]:443", "ipv4:10.0.0.1:80", "ipv4:10.0.0.1:80,10.0.0.2:80", "ipv6:[::1]:80", "ipv6:///[::1]:80",
         "unix:run/x.sock", "unix:/run/x.sock", "unix:///run/x.sock", "unix-abstract:name", "xds:///users",
         "vsock:2:1234", "google-c2p:///x" })
    EXPECT_EQ (normal (text), text);
}

TEST (Targets, APortIsAddedWhereThereIsOneForAll)
{
  EXPECT_EQ (normal ("users.example.com", production), "dns:///users.example.com:443");
  EXPECT_EQ (normal ("users.example.com:8443", production), "dns:///users.example.com:8443");
  EXPECT_EQ (normal ("[::1]", production), "dns:///[::1]:443");
  EXPECT_EQ (normal ("dns:///users.example.com", production), "dns:///users.example.com:443");
  EXPECT_EQ (normal ("dns://8.8.8.8/users", production), "dns://8.8.8.8/users:443");
  EXPECT_EQ (normal ("ipv4:10.0.0.1,10.0.0.2:80", production), "ipv4:10.0.0.1:443,10.0.0.2:80");
  EXPECT_EQ (normal ("unix:///x", production), "unix:///x");
}

TEST (Targets, NoPortIsAProblemElsewhere)
{
  for (const char *host : { "users", "[::1]" })
    EXPECT_EQ (normal (host), std::string ("problem: '") + host
                                + "' names no port (HOST:PORT; only profile=production has one for all, 443)");
  EXPECT_EQ (normal ("dns:///users"),
             "problem: 'users' names no port (HOST:PORT; only profile=production has one for all, 443)");
  EXPECT_EQ (normal ("ipv4:10.0.0.1"),
             "problem: '10.0.0.1' names no port (HOST:PORT; only profile=production has one for all, 443)");
}

TEST (Targets, BadPorts)
{
  EXPECT_EQ (normal ("users:https"), "problem: 'https' is not a port in 'users:https' (1 to 65535)");
  for (const char *port : { "", "0", "65536", "-1", "80x", "99999999999999999999", " 80" })
    for (const char *host : { "users:", "dns:///users:", "[::1]:", "ipv4:1.2.3.4:" })
      for (const TargetRules &rules : { strict, production })
        EXPECT_EQ (
          normal (std::string (host) + port, rules).rfind (std::string ("problem: '") + port + "' is not a port in", 0),
          0u)
          << host << port;
}

TEST (Targets, BadHosts)
{
  EXPECT_EQ (normal (""), "problem: the address is empty (HOST:PORT)");
  EXPECT_EQ (normal ("::1"), "problem: '::1' has no brackets around its IPv6 address ([::1]:PORT)");
  EXPECT_EQ (normal (":80"), "problem: ':80' has no host that can be read (HOST:PORT, or [IPv6]:PORT)");
  for (const char *text : { "[::1", "[::1]80", "[users]:80", "[]:80", "a b:80", "a/b:80", "a,b:80" })
    EXPECT_EQ (normal (text),
               std::string ("problem: '") + text + "' has no host that can be read (HOST:PORT, or [IPv6]:PORT)");
}

/* Which may have a password in it. */
TEST (Targets, WhatOnlyAConnectionStringHasIsNotShown)
{
  for (const char *text :
       { "a@b:80", "u:s3cret@b:80", "b:80?apiKey=s3cret", "dns:///u:s3cret@b:80", "ipv4:u@1.2.3.4:5" })
    EXPECT_EQ (normal (text), "problem: has a '@' or '?' in it, which a target has not (a connection string is written "
                              "in the key uri, with its scheme)");
  EXPECT_EQ (normal ("unix:///run/a@b?c"), "unix:///run/a@b?c");
}

TEST (Targets, BadSchemes)
{
  EXPECT_EQ (normal ("http://users:80"),
             "problem: 'http://' begins a URL, not a gRPC target (HOST:PORT, and the transport says whether it is TLS; "
             "or a connection string in the key uri)");
  EXPECT_EQ (normal ("dsn:///users:80"), "problem: 'dsn' is no target's scheme (nearest: dns)");
  EXPECT_EQ (normal ("zookeeper:///users:80"),
             "problem: 'zookeeper' is no target's scheme (HOST:PORT, dns:///HOST:PORT or unix:///PATH)");
  EXPECT_EQ (normal ("dns://users:80"), "problem: 'dns://users:80' has no host (dns:///HOST:PORT, with three slashes)");
  EXPECT_EQ (normal ("ipv4:"), "problem: 'ipv4:' has no address (ipv4:192.0.2.1:PORT)");
  EXPECT_EQ (normal ("ipv6:"), "problem: 'ipv6:' has no address (ipv6:[2001:db8::1]:PORT)");
  EXPECT_EQ (normal ("ipv4:1.2.3.4:80,"), "problem: '' has no host that can be read (HOST:PORT, or [IPv6]:PORT)");
  EXPECT_EQ (normal ("xds:"), "problem: 'xds:' has nothing behind its scheme");
}

TEST (Targets, PathsOfSockets)
{
  const std::string longest (107, 'x');

  EXPECT_EQ (normal ("unix:" + longest), "unix:" + longest);
  EXPECT_EQ (normal ("unix:" + longest + "x"), "problem: the path of the socket has 108 bytes (at most 107)");
  EXPECT_EQ (normal ("unix:///" + longest), "problem: the path of the socket has 108 bytes (at most 107)");
  EXPECT_EQ (normal ("unix:"), "problem: 'unix:' has no path (unix:///PATH)");
  EXPECT_EQ (normal ("unix://run/x"), "problem: 'unix://run/x' has too few slashes (unix:///PATH)");
}

TEST (Targets, ATransportWithAddressesOfItsOwnTakesAny)
{
  for (const char *text : { "mock:///a", "sim://b", "users", "a b", "::1" })
    EXPECT_EQ (normal (text, own), text);
  EXPECT_EQ (normal ("users:80", own), "dns:///users:80");
  EXPECT_EQ (normal ("", own), "problem: the address is empty (HOST:PORT)");
}

} // namespace
