/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interop-stubs: TestService through the C face: stubs that protoc-c generated, and streams.
 */
#ifndef CENOTE_TESTS_INTEGRATION_INTEROP_STUBS_H
#define CENOTE_TESTS_INTEGRATION_INTEROP_STUBS_H

#include <cenote/protobuf-c.h>

#include <optional>
#include <vector>

#include "interop.pb-c.h"
#include "tests/integration/interop.h"

namespace interop {

struct Status {
  Status () = default;
  explicit Status (const GError *error)
    : domain (error == nullptr ? 0 : error->domain), code (error == nullptr ? 0 : error->code),
      message (error == nullptr ? "" : error->message)
  {
  }

  /* Whether a call that got a channel ended so. */
  bool is (int status) const { return status == OK ? domain == 0 : domain == CENOTE_STATUS && code == status; }

  GQuark domain = 0;
  int code = 0;
  std::string message;
};

inline std::ostream &
operator<< (std::ostream &out, const Status &status)
{
  return out << (status.domain == 0 ? "no error" : g_quark_to_string (status.domain)) << " " << status.code << ": "
             << status.message;
}

/* ----------------------------------------------------------------- messages */

struct Free {
  void
  operator() (void *message) const
  {
    protobuf_c_message_free_unpacked (static_cast<ProtobufCMessage *> (message), nullptr);
  }
};
template <typename T> using Unpacked = std::unique_ptr<T, Free>;

inline std::string
body_of (const Grpc__Testing__Payload *payload)
{
  return payload == nullptr ? "" : std::string (reinterpret_cast<char *> (payload->body.data), payload->body.len);
}

/* What the server is to end the call with. */
struct Fault {
  int code;
  const char *message;
};

/* What a request's parts live in: it goes with them. */
struct Parts {
  explicit Parts (size_t body = 0) : zeros (body)
  {
    grpc__testing__payload__init (&payload);
    payload.body = { body, zeros.data () };
    grpc__testing__echo_status__init (&status);
  }
  Parts (const Parts &) = delete;
  Parts &operator= (const Parts &) = delete;

  Grpc__Testing__EchoStatus *
  echo (const Fault &fault)
  {
    status.code = fault.code;
    status.message = const_cast<char *> (fault.message);
    return &status;
  }

  std::vector<uint8_t> zeros;
  Grpc__Testing__Payload payload;
  Grpc__Testing__EchoStatus status;
};

struct SimpleRequest : Parts {
  SimpleRequest (size_t body, int response_size) : Parts (body)
  {
    grpc__testing__simple_request__init (&message);
    message.response_size = response_size;
    message.payload = &payload;
  }
  explicit SimpleRequest (const Fault &fault)
  {
    grpc__testing__simple_request__init (&message);
    message.response_status = echo (fault);
  }

  Grpc__Testing__SimpleRequest message;
};

struct OutputRequest : Parts {
  explicit OutputRequest (size_t body, const std::vector<int> &sizes = {}) : Parts (body), parameters (sizes.size ())
  {
    grpc__testing__streaming_output_call_request__init (&message);
    for (size_t i = 0; i < sizes.size (); i++) {
      grpc__testing__response_parameters__init (&parameters[i]);
      parameters[i].size = sizes[i];
      rows.push_back (&parameters[i]);
    }
    message.n_response_parameters = rows.size ();
    message.response_parameters = rows.data ();
    message.payload = body > 0 ? &payload : nullptr;
  }
  explicit OutputRequest (const Fault &fault) : OutputRequest (0) { message.response_status = echo (fault); }

  std::vector<Grpc__Testing__ResponseParameters> parameters;
  std::vector<Grpc__Testing__ResponseParameters *> rows;
  Grpc__Testing__StreamingOutputCallRequest message;
};

/* ------------------------------------------------------------------- unary */

/* What a stub's closure was told. */
struct Answer {
  int times = 0;
  bool replied = false;
  std::string body;
  Status status;
};

inline std::string body_of (const Grpc__Testing__Empty *) { return ""; }
inline std::string body_of (const Grpc__Testing__SimpleResponse *reply) { return body_of (reply->payload); }

template <typename Reply>
void
take (const Reply *reply, void *data)
{
  Answer *answer = static_cast<Answer *> (data);

  answer->times++;
  answer->replied = reply != nullptr;
  answer->body = reply == nullptr ? "" : body_of (reply);
  answer->status = Status (cenote_protobuf_c_get_error ());
}

/* ------------------------------------------------------------------ streams */

/* A call of TestService's, message by message. */
class Call {
public:
  Call (CenotePool *pool, const char *method, const CenoteCallOptions *options = nullptr)
  {
    g_autoptr (GError) error = nullptr;

    call_ = cenote_protobuf_c_call_new (pool, &grpc__testing__test_service__descriptor, method, options, &error);
    if (call_ == nullptr) {
      ADD_FAILURE () << error->message;
      abort ();
    }
  }
  ~Call () { cenote_call_unref (call_); }
  Call (const Call &) = delete;
  Call &operator= (const Call &) = delete;

  template <typename T>
  bool
  write (const T &message, bool last = false)
  {
    return cenote_protobuf_c_write (call_, &message.base, last, nullptr);
  }

  void close () { EXPECT_TRUE (cenote_call_close_writes (call_, nullptr)); }

  /* Empty: there are no more. */
  template <typename T>
  Unpacked<T>
  read (const ProtobufCMessageDescriptor &descriptor)
  {
    ProtobufCMessage *message = nullptr;
    g_autoptr (GError) error = nullptr;

    EXPECT_TRUE (cenote_protobuf_c_read (call_, -1, &descriptor, &message, &error)) << error->message;
    return Unpacked<T> (reinterpret_cast<T *> (message));
  }

  /* The size of the next reply's body, which is zeros; -1: there are no more. */
  int
  read_size ()
  {
    auto reply = read<Grpc__Testing__StreamingOutputCallResponse> (grpc__testing__streaming_output_call_response__descriptor);

    if (reply == nullptr)
      return -1;
    std::string body = body_of (reply->payload);
    EXPECT_EQ (std::string::npos, body.find_first_not_of ('\0'));
    return static_cast<int> (body.size ());
  }

  Status
  finish ()
  {
    g_autoptr (GError) error = nullptr;

    cenote_call_finish (call_, &error);
    return Status (error);
  }

  std::optional<std::string> initial (const char *key) { return value (cenote_call_get_initial, key); }
  std::optional<std::string> trailing (const char *key) { return value (cenote_call_get_trailing, key); }
  void cancel () { cenote_call_cancel (call_); }

private:
  std::optional<std::string>
  value (const char *(*get) (CenoteCall *, const char *, gsize *), const char *key)
  {
    gsize length = 0;
    const char *bytes = get (call_, key, &length);

    return bytes == nullptr ? std::nullopt : std::optional (std::string (bytes, length));
  }

  CenoteCall *call_;
};

/* Metadata that the server sends back: it lives as long as the options are used. */
class Metadata {
public:
  Metadata (const std::string &initial, const std::string &trailing)
    : initial_ (initial), trailing_ (trailing),
      rows_{ { initial_key, initial_.data (), static_cast<gssize> (initial_.size ()) },
             { trailing_key, trailing_.data (), static_cast<gssize> (trailing_.size ()) } }
  {
    options_.metadata = rows_;
    options_.n_metadata = G_N_ELEMENTS (rows_);
  }

  operator const CenoteCallOptions * () const { return &options_; }
  const CenoteCallOptions &operator* () const { return options_; }

  Metadata (const Metadata &) = delete;
  Metadata &operator= (const Metadata &) = delete;

private:
  const std::string initial_, trailing_;
  CenoteMetadatum rows_[2];
  CenoteCallOptions options_ = CENOTE_CALL_OPTIONS_INIT;
};

/* With a stub of TestService. */
class StubTest : public Test {
protected:
  void
  SetUp () override
  {
    Test::SetUp ();
    if (pool_ != nullptr)
      stub_.reset (cenote_protobuf_c_service_new (pool_, &grpc__testing__test_service__descriptor));
  }

  void
  TearDown () override
  {
    stub_.reset ();
    Test::TearDown ();
  }

  Answer
  unary (const SimpleRequest &request)
  {
    Answer answer;

    grpc__testing__test_service__unary_call (stub_.get (), &request.message, take, &answer);
    EXPECT_EQ (1, answer.times);
    return answer;
  }

  struct Destroy {
    void operator() (ProtobufCService *service) const { protobuf_c_service_destroy (service); }
  };
  std::unique_ptr<ProtobufCService, Destroy> stub_;
};

} // namespace interop

#endif
