/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GrpcConnectionPool 0.3: its cases against a service that it did not write.  Its
 * own is an emulator of topics; ours is etcd, whose keys are made, listed and gone.
 */
#include <gtest/gtest.h>

#include "a2.h"

namespace {

/* A message's field NUMBER with the bytes of VALUE, which are few. */
std::string
field (int number, const std::string &value)
{
  return std::string{ static_cast<char> (number << 3 | 2), static_cast<char> (value.size ()) } + value;
}

class SeedA2Service : public ::testing::Test {
protected:
  void
  SetUp () override
  {
    if (!Etcd::is_there ())
      GTEST_SKIP () << "no etcd";
    ASSERT_TRUE (etcd.start ());
    client = std::make_unique<Client> (etcd.port (), "size=2\nbackoff=quick\n");
    ASSERT_TRUE (connect_all (client.get (), 2)) << "see " << etcd.log ();
  }

  /* What etcd answers to METHOD of its keys' service, over the next channel. */
  std::string
  call (const char *method, const std::string &message)
  {
    g_autofree char *path = g_strconcat ("/etcdserverpb.KV/", method, nullptr);
    g_autoptr (RawCaller) caller = raw_caller_new ();
    g_autoptr (GBytes) request = g_bytes_new (message.data (), message.size ());
    g_auto (CenoteLease) lease = CENOTE_LEASE_INIT;
    g_auto (RawReply) reply = {};
    gsize size = 0;

    EXPECT_TRUE (cenote_pool_acquire (client->pool, 10000, &lease, nullptr));
    raw_caller_call (caller, lease.channel, path, request, 20000, &reply);
    EXPECT_EQ (reply.status, GRPC_STATUS_OK) << method << ": " << reply.details;
    if (reply.message == nullptr)
      return "";
    const char *bytes = static_cast<const char *> (g_bytes_get_data (reply.message, &size));
    return std::string (bytes, size);
  }

  Etcd etcd;
  std::unique_ptr<Client> client;
};

TEST_F (SeedA2Service, C2_CreateListAndDelete)
{
  call ("Put", field (1, "topic") + field (2, "of seeds"));
  EXPECT_NE (call ("Range", field (1, "topic")).find ("of seeds"), std::string::npos);
  call ("DeleteRange", field (1, "topic"));
  EXPECT_EQ (call ("Range", field (1, "topic")).find ("of seeds"), std::string::npos);
}

TEST_F (SeedA2Service, C2_WhatIsPublishedIsPulledOnce)
{
  for (int i = 0; i < 10; i++) {
    std::string key = "message-" + std::to_string (i);

    call ("Put", field (1, key) + field (2, "text " + key));
    EXPECT_NE (call ("Range", field (1, key)).find ("text " + key), std::string::npos);
    EXPECT_NE (call ("DeleteRange", field (1, key)).find (std::string ("\x10\x01")), std::string::npos)
      << "one was deleted";
  }
}

TEST_F (SeedA2Service, C2_TenCallsAtOnceOnAPoolOfTwo)
{
  call ("Put", field (1, "topic") + field (2, "of seeds"));
  at_once (10, [&] (int) {
    for (int i = 0; i < 10; i++)
      EXPECT_NE (call ("Range", field (1, "topic")).find ("of seeds"), std::string::npos);
  });
  auto status = client->status ();
  EXPECT_EQ (status->in_flight, 0);
  for (gsize i = 0; i < status->n_channels; i++)
    EXPECT_GT (status->channels[i]->calls, 0);
}

} // namespace
