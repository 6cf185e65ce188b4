/* SPDX-License-Identifier: Apache-2.0 */
/*
 * greeter: a stub that protoc generated, over a pool: each call takes a channel of its own.
 *
 *   protoc --cpp_out=. --grpc_out=. --plugin=protoc-gen-grpc=$(command -v grpc_cpp_plugin) greeter.proto
 *   c++ -std=c++17 -I. greeter*.cc -o greeter $(pkg-config --cflags --libs cenote++ protobuf) && ./greeter greeter.conf
 */
#include <cenote/cenote.hpp>
#include <grpcpp/grpcpp.h>

#include <iostream>

#include "greeter.grpc.pb.h"

/* One greeting, and two by a stream; throws nothing: a pool's troubles are the call's status. */
static grpc::Status
greet (greeter::Greeter::Stub &stub)
{
  grpc::ClientContext unary, stream;
  greeter::Name name;
  greeter::Greeting greeting;

  for (grpc::ClientContext *context : { &unary, &stream }) {
    context->set_deadline (std::chrono::system_clock::now () + std::chrono::seconds (10));
    context->set_wait_for_ready (true);
  }
  name.set_name ("world");
  if (grpc::Status status = stub.Greet (&unary, name, &greeting); !status.ok ())
    return status;
  std::cout << greeting.text () << '\n';

  auto each = stub.GreetEach (&stream);
  for (const char *other : { "stream", "pool" }) {
    name.set_name (other);
    if (each->Write (name) && each->Read (&greeting))
      std::cout << greeting.text () << '\n';
  }
  each->WritesDone ();
  return each->Finish ();
}

int
main (int argc, char **argv)
try {
  if (argc != 2) {
    std::cerr << "usage: greeter FILE\n";
    return 2;
  }
  cenote::Runtime runtime = cenote::Runtime::from_file (argv[1]);
  greeter::Greeter::Stub stub (runtime.pool ().stub_channel ()); /* for as long as the program likes */
  grpc::Status status = greet (stub);

  if (!status.ok ())
    std::cerr << "greeter: " << status.error_message () << '\n';
  return status.ok () ? 0 : 1;
} catch (const cenote::Error &error) {
  std::cerr << "greeter: " << error.what () << '\n';
  return 1;
}
