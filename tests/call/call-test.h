/* SPDX-License-Identifier: Apache-2.0 */
/* call-test: a pool on a peer in this process that answers as the test says. */
#ifndef CENOTE_TESTS_CALL_TEST_H
#define CENOTE_TESTS_CALL_TEST_H

#include "core/runtime/counts.h"
#include "tests/servers/calls.h"
#include "tests/servers/http2-peer.h"

#define METHOD "/cenote.test.Peer/Call"

class CallTest : public ::testing::Test {
protected:
  /* Returns when all channels are ready.  SETTINGS: what the peer greets with. */
  void
  open (http2::Answer answer, const std::string &keys = "size=1\n", const std::string &settings = "")
  {
    peer_ = std::make_unique<http2::Peer> (std::move (answer), settings);
    client_ = std::make_unique<Client> (peer_->port (), "backoff=quick\n" + keys);
    connect (*client_);
  }

  /* The peer goes last: its threads end only with their connections. */
  void
  close ()
  {
    client_.reset ();
    peer_.reset ();
  }

  /* While what the peer's answers use is whole. */
  void TearDown () override { close (); }

  CenotePool *pool () { return client_->pool; }
  guint64 count (CounterId id) { return runtime_count (client_->runtime, id); }
  gint64 in_flight () { return client_->status ()->in_flight; }

  std::unique_ptr<http2::Peer> peer_;
  std::unique_ptr<Client> client_;
};

#endif
