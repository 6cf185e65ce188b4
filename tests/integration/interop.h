/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interop: what the tests of gRPC's interoperability cases share, whichever face they call through.
 */
#ifndef CENOTE_TESTS_INTEGRATION_INTEROP_H
#define CENOTE_TESTS_INTEGRATION_INTEROP_H

#include <memory>
#include <string>
#include <thread>

#include "tests/servers/client.h"
#include "tests/servers/interop-server.h"

/* The cases' own figures: https://github.com/grpc/grpc/blob/master/doc/interop-test-descriptions.md */
namespace interop {

const int large_request = 271828, large_response = 314159;
const int request_sizes[] = { 27182, 8, 1828, 45904 };
const int aggregated_size = 74922;
const int response_sizes[] = { 31415, 9, 2653, 58979 };
const char initial_key[] = "x-grpc-test-echo-initial", initial_value[] = "test_initial_metadata_value";
const char trailing_key[] = "x-grpc-test-echo-trailing-bin", trailing_value[] = "\xab\xab\xab";
const char status_message[] = "test status message";
const char special_message[] = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";

/* grpc/status.h, which is no part of the public face. */
enum {
  OK = 0,
  CANCELLED = 1,
  UNKNOWN = 2,
  DEADLINE_EXCEEDED = 4,
  RESOURCE_EXHAUSTED = 8,
  UNIMPLEMENTED = 12,
  INTERNAL = 13,
  UNAVAILABLE = 14
};

/* Waits until DONE says so.  FALSE: not within a minute. */
template <typename Done>
bool
await (Done done)
{
  const gint64 until_us = g_get_monotonic_time () + G_USEC_PER_SEC * 60;

  while (!done ())
    if (g_get_monotonic_time () > until_us)
      return false;
    else
      std::this_thread::yield ();
  return true;
}

/* A pool of two channels to one server that all tests of a suite share. */
class Test : public ::testing::Test {
protected:
  static void
  SetUpTestSuite ()
  {
    if (InteropServer::missing () == nullptr)
      server_ = std::make_unique<InteropServer> ();
  }

  static void TearDownTestSuite () { server_.reset (); }

  void
  SetUp () override
  {
    if (server_ == nullptr)
      GTEST_SKIP () << InteropServer::missing ();
    ASSERT_NE (0u, server_->port ());
    open (server_->port ());
  }

  void
  TearDown () override
  {
    if (client_ != nullptr) {
      EXPECT_EQ (0, client_->status ()->in_flight) << "a lease was kept";
    }
  }

  /* A pool to PORT in place of the one that is there; KEYS: lines of its group. */
  void
  open (unsigned port, const std::string &keys = "size=2\nbackoff=quick\n")
  {
    client_ = std::make_unique<Client> (port, keys);
    g_autoptr (GError) error = nullptr;
    ASSERT_TRUE (cenote_pool_connect (client_->pool, G_MAXINT64, &error)) << error->message;
    pool_ = client_->pool;
  }

  /* Waits until the server has seen N calls given up. */
  static bool
  await_cancelled (gint64 n)
  {
    return await ([=] { return server_->cancelled () >= n; });
  }

  static inline std::unique_ptr<InteropServer> server_;
  std::unique_ptr<Client> client_;
  CenotePool *pool_ = nullptr;
};

} // namespace interop

#endif
