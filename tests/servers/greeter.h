/* SPDX-License-Identifier: Apache-2.0 */
/*
 * greeter: the service of examples/greeter.proto, in this process.
 *
 * A name may say how its call ends: "status N TEXT".
 */
#ifndef CENOTE_TESTS_GREETER_H
#define CENOTE_TESTS_GREETER_H

#include <grpcpp/grpcpp.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "examples/greeter.grpc.pb.h"

/* Unary ones with callbacks, since they are what is measured; streams on threads. */
class GreeterService final : public greeter::Greeter::WithCallbackMethod_Greet<greeter::Greeter::Service> {
public:
  grpc::ServerUnaryReactor *
  Greet (grpc::CallbackServerContext *context, const greeter::Name *name, greeter::Greeting *greeting) override
  {
    grpc::ServerUnaryReactor *reactor = context->DefaultReactor ();

    for (const auto &[key, value] : context->client_metadata ()) {
      if (key.starts_with ("echo-"))
        add_echo (*context, key, value);
    }
    greeting->set_text (greet (name->name ()));
    reactor->Finish (status_of (name->name ()));
    return reactor;
  }

  grpc::Status
  GreetOften (grpc::ServerContext *, const greeter::Often *often, grpc::ServerWriter<greeter::Greeting> *writer) override
  {
    greeter::Greeting greeting;

    greeting.set_text (greet (often->name ()));
    for (int i = 0; i < often->count (); i++)
      writer->Write (greeting);
    return status_of (often->name ());
  }

  grpc::Status
  GreetAll (grpc::ServerContext *, grpc::ServerReader<greeter::Name> *reader, greeter::Greeting *greeting) override
  {
    greeter::Name name;
    std::string names;

    while (reader->Read (&name))
      names += (names.empty () ? "" : ", ") + name.name ();
    greeting->set_text (greet (names));
    return grpc::Status::OK;
  }

  grpc::Status
  GreetEach (grpc::ServerContext *, grpc::ServerReaderWriter<greeter::Greeting, greeter::Name> *stream) override
  {
    greeter::Name name;

    while (stream->Read (&name)) {
      greeter::Greeting greeting;

      greeting.set_text (greet (name.name ()));
      if (!status_of (name.name ()).ok ())
        return status_of (name.name ());
      stream->Write (greeting);
    }
    return grpc::Status::OK;
  }

private:
  static std::string greet (const std::string &name) { return "Hello, " + name; }

  static grpc::Status
  status_of (const std::string &name)
  {
    if (name.rfind ("status ", 0) != 0)
      return grpc::Status::OK;
    char *rest = nullptr;
    long code = std::strtol (name.c_str () + 7, &rest, 10);
    return grpc::Status (static_cast<grpc::StatusCode> (code), rest + (*rest == ' '));
  }

  static void
  add_echo (grpc::CallbackServerContext &context, grpc::string_ref key, grpc::string_ref value)
  {
    std::string name (key.data (), key.size ()), text (value.data (), value.size ());

    context.AddInitialMetadata (name, text);
    context.AddTrailingMetadata ("trailing-" + name, text);
  }
};

/* On one port of 127.0.0.1, also when it is started again. */
class GreeterServer {
public:
  ~GreeterServer () { stop (); }

  bool
  start ()
  {
    grpc::ServerBuilder builder;

    builder.AddListeningPort ("127.0.0.1:" + std::to_string (port_), grpc::InsecureServerCredentials (), &port_);
    builder.RegisterService (&service_);
    server_ = builder.BuildAndStart ();
    return server_ != nullptr && port_ != 0;
  }

  /* Calls that are under way are cancelled. */
  void
  stop ()
  {
    if (server_ != nullptr)
      server_->Shutdown (gpr_time_0 (GPR_CLOCK_REALTIME));
    server_.reset ();
  }

  /* What it serves, or served last: 0 before its first start. */
  int port () const { return port_; }

private:
  GreeterService service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

#endif
