/* SPDX-License-Identifier: Apache-2.0 */
/* telemetry/jsonl, as the built plugin: its lines, into files, FIFOs and pipes that are full, gone or renamed. */
#include <cenote/event-text.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sink-test.h"
#include "tools/json-reader.h"

namespace {

std::vector<std::string>
lines_of (const std::string &text)
{
  std::vector<std::string> lines;
  size_t from = 0, to;

  while ((to = text.find ('\n', from)) != std::string::npos) {
    lines.push_back (text.substr (from, to - from));
    from = to + 1;
  }
  EXPECT_EQ (from, text.size ()) << "half a line at the end: " << text.substr (from, 200);
  return lines;
}

/* One line of JSON. */
class Line {
public:
  explicit Line (const std::string &text)
  {
    g_autoptr (GError) error = nullptr;

    value_ = json_read (text.c_str (), &error);
    if (value_ == nullptr)
      ADD_FAILURE () << error->message << ": " << text.substr (0, 200);
    else
      g_variant_ref_sink (value_);
  }

  ~Line () { g_clear_pointer (&value_, g_variant_unref); }
  Line (const Line &) = delete;
  Line &operator= (const Line &) = delete;

  std::string
  text (const char *member) const
  {
    const char *found = value_ == nullptr ? nullptr : json_get_string (value_, member);
    return found == nullptr ? "(none)" : found;
  }

  int64_t number (const char *member) const { return value_ == nullptr ? -2 : json_get_int64 (value_, member, -2); }
  size_t n_members () const { return value_ == nullptr ? 0 : g_variant_n_children (value_); }

private:
  GVariant *value_ = nullptr;
};

class JsonlSinkTest : public ::testing::Test {
protected:
  bool
  create (std::vector<std::string> settings = {})
  {
    settings.push_back ("path=" + path);
    return sink.create (settings);
  }

  std::vector<std::string> written () { return lines_of (read_bytes (path)); }

  Directory directory;
  std::string path = directory.file ("events.jsonl");
  SinkUnderTest sink{ "jsonl" };
};

/* Until the end, or nothing is there. */
std::string
read_all (int fd)
{
  char bytes[65536];
  std::string all;
  ssize_t n;

  while ((n = read (fd, bytes, sizeof bytes)) > 0)
    all.append (bytes, static_cast<size_t> (n));
  return all;
}

/* ------------------------------------------------------------------- lines */

TEST_F (JsonlSinkTest, ALineHasAMemberForEachValue)
{
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_CHANNEL_CONNECTION_FAILED);

  ASSERT_TRUE (create ()) << sink.fault;
  event.pool = "users";
  event.channel = 3;
  event.address = "dns:///users:443";
  event.error = "Connection refused";
  event.reason = "dial";
  event.attempt = 2;
  event.duration_ns = 1500000;
  event.time_us = 77;
  event.wall_us = G_GINT64_CONSTANT (1700000000000042);
  sink.handle (event);
  sink.flush ();
  EXPECT_EQ (read_bytes (path),
             "{\"event\":\"channel.connection_failed\",\"time\":\"2023-11-14T22:13:20.000042Z\",\"time_us\":77,"
             "\"pool\":\"users\",\"channel\":3,\"address\":\"dns:///users:443\",\"reason\":\"dial\","
             "\"error\":\"Connection refused\",\"duration_ns\":1500000,\"attempt\":2}\n");
}

TEST_F (JsonlSinkTest, ALineHoldsEveryMemberAtOnce)
{
  CenoteEvent event = CENOTE_EVENT_INIT (CENOTE_EVENT_POOL_INIT);

  ASSERT_TRUE (create ()) << sink.fault;
  event.pool = event.address = event.reason = event.error = "x";
  event.channel = UINT64_C (1) << 62;
  event.wall_us = 0;
  int64_t value = 1000;
  for (int64_t *number = &event.duration_ns; number <= &event.ok; number++)
    *number = value++;
  event.time_us = INT64_MAX;
  sink.handle (event);
  sink.flush ();
  ASSERT_EQ (written ().size (), 1u);
  Line line (written ()[0]);
  EXPECT_EQ (line.n_members (), 21u);
  EXPECT_EQ (line.text ("time"), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ (line.number ("time_us"), INT64_MAX);
  EXPECT_EQ (line.number ("channel"), INT64_C (1) << 62);
  value = 1000;
  for (const char *name : { "duration_ns", "delay_ms", "attempt", "expected_size", "current_size", "in_flight", "waiters",
                            "requested", "succeeded", "failed", "new_size", "count" })
    EXPECT_EQ (line.number (name), value++) << name;
  EXPECT_NE (written ()[0].find ("\"ok\":true}"), std::string::npos);
}

TEST_F (JsonlSinkTest, WhatIsAbsentIsLeftOut)
{
  ASSERT_TRUE (create ({ "events=all" })) << sink.fault;
  sink.tell (CENOTE_EVENT_POOL_STATUS);
  EXPECT_EQ (read_bytes (path), "{\"event\":\"pool.status\"}\n");
}

TEST_F (JsonlSinkTest, TextsAreEscapedAndValid)
{
  std::string all;

  for (int byte = 1; byte < 0x80; byte++)
    all += static_cast<char> (byte);
  all += "é\u2028";
  ASSERT_TRUE (create ()) << sink.fault;
  sink.tell (CENOTE_EVENT_PLUGIN_LOADED, all.c_str ());
  sink.tell (CENOTE_EVENT_PLUGIN_LOADED, "bad \xff\xc3 bytes");
  const std::vector<std::string> lines = written ();
  ASSERT_EQ (lines.size (), 2u) << "a newline in a text is none in the file";
  EXPECT_EQ (Line (lines[0]).text ("reason"), all);
  EXPECT_EQ (Line (lines[1]).text ("reason"), "bad \uFFFD\uFFFD bytes");
  for (char c : lines[0])
    EXPECT_TRUE (static_cast<unsigned char> (c) >= 0x20 && c != 0x7f);
}

TEST_F (JsonlSinkTest, ALongTextIsWhole)
{
  std::string text (20000, '\x01');

  ASSERT_TRUE (create ()) << sink.fault;
  sink.tell (CENOTE_EVENT_PLUGIN_LOADED, text.c_str ());
  ASSERT_EQ (written ().size (), 1u);
  EXPECT_EQ (Line (written ()[0]).text ("reason"), text);
}

TEST_F (JsonlSinkTest, WithoutEventsAllButTheFrequentOnes)
{
  ASSERT_TRUE (create ()) << sink.fault;
  for (unsigned kind = 0; kind < CENOTE_N_EVENTS; kind++)
    sink.tell (static_cast<CenoteEventKind> (kind));
  EXPECT_EQ (written ().size (), static_cast<size_t> (CENOTE_N_EVENTS) - 4);
  EXPECT_EQ (sink.interest () & CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_STATUS), 0u);
}

TEST_F (JsonlSinkTest, EventsAreThoseThatAreNamed)
{
  ASSERT_TRUE (create ({ "events=pool.status;channel.get" })) << sink.fault;
  EXPECT_EQ (sink.interest (), CENOTE_EVENT_BIT (CENOTE_EVENT_POOL_STATUS) | CENOTE_EVENT_BIT (CENOTE_EVENT_CHANNEL_GET));
  EXPECT_FALSE (create ({ "events=pool.states" }));
  EXPECT_NE (sink.fault.find ("events: 'pool.states' is no event (all, channel.get, "), std::string::npos) << sink.fault;
}

/* ----------------------------------------------------------------- metrics */

TEST_F (JsonlSinkTest, MetricsComeAtTheirInterval)
{
  const int64_t s = 1000000;

  ASSERT_TRUE (create ({ "metrics-interval=10s" })) << sink.fault;
  sink.metrics = { SinkMetric::counter ("cenote.gets", { { "pool.name", "users" } }, 3),
                   SinkMetric::gauge ("cenote.channel.count", { { "pool.name", "users" }, { "state", "ready" } }, 2),
                   SinkMetric::durations ("cenote.get_time", {}, { { 100, 98 }, { 2000, 2 } }),
                   SinkMetric::durations ("cenote.call.duration", {}, {}) };
  sink.poll ();
  ASSERT_EQ (written ().size (), 4u);
  sink.now_us += 9 * s;
  EXPECT_LE (sink.poll (), sink.now_us + s);
  EXPECT_EQ (written ().size (), 4u);
  sink.now_us += s;
  sink.poll ();
  EXPECT_EQ (written ().size (), 8u);
  sink.poll (CENOTE_POLL_LAST);
  EXPECT_EQ (written ().size (), 8u);
  sink.destroy ();
  ASSERT_EQ (written ().size (), 12u) << "and at the end, when everything is over";

  Line gauge (written ()[1]), durations (written ()[2]), none (written ()[3]);
  EXPECT_EQ (gauge.text ("event"), "metrics");
  EXPECT_EQ (gauge.text ("name"), "cenote.channel.count");
  EXPECT_EQ (gauge.text ("kind"), "gauge");
  EXPECT_EQ (gauge.number ("value"), 2);
  EXPECT_EQ (gauge.number ("time_us"), 1 * s);
  EXPECT_NE (written ()[1].find ("\"labels\":{\"pool.name\":\"users\",\"state\":\"ready\"}"), std::string::npos);
  EXPECT_EQ (durations.text ("kind"), "histogram");
  EXPECT_EQ (durations.number ("count"), 100);
  EXPECT_EQ (durations.number ("sum_ns"), 98 * 100 + 2 * 2000);
  EXPECT_EQ (durations.number ("p50_ns"), 100);
  EXPECT_EQ (durations.number ("p99_ns"), 2000);
  EXPECT_EQ (durations.number ("max_ns"), 2000);
  EXPECT_EQ (none.number ("count"), 0);
  EXPECT_EQ (none.number ("p50_ns"), -2) << "there is none";
}

TEST_F (JsonlSinkTest, MetricsAreOffByDefault)
{
  ASSERT_TRUE (create ()) << sink.fault;
  sink.metrics = { SinkMetric::counter ("cenote.gets", {}, 3) };
  sink.poll ();
  sink.poll (CENOTE_POLL_LAST);
  EXPECT_EQ (written ().size (), 0u);
}

TEST_F (JsonlSinkTest, StdoutWithoutMetricsNeedsNoTime)
{
  ASSERT_TRUE (sink.create ({})) << sink.fault;
  EXPECT_EQ (sink.poll (), INT64_MAX);
}

/* ------------------------------------------------------------------- files */

TEST_F (JsonlSinkTest, CreatingASinkMakesNoFile)
{
  ASSERT_TRUE (create ()) << sink.fault;
  EXPECT_FALSE (g_file_test (path.c_str (), G_FILE_TEST_EXISTS)) << "`cenote check` creates sinks";
  sink.tell (CENOTE_EVENT_PLUGIN_LOADED);
  struct stat status;
  ASSERT_EQ (stat (path.c_str (), &status), 0);
  EXPECT_EQ (status.st_mode & 0137, 0u) << "others do not read it";
}

TEST_F (JsonlSinkTest, AppendsToWhatIsThere)
{
  directory.write ("events.jsonl", "old\n");
  ASSERT_TRUE (create ()) << sink.fault;
  sink.tell (CENOTE_EVENT_PLUGIN_LOADED);
  EXPECT_EQ (read_bytes (path), "old\n{\"event\":\"plugin.loaded\"}\n");
}

TEST_F (JsonlSinkTest, FollowsASymbolicLink)
{
  ASSERT_EQ (symlink ("target.jsonl", path.c_str ()), 0);
  ASSERT_TRUE (create ()) << sink.fault;
  sink.tell (CENOTE_EVENT_PLUGIN_LOADED);
  EXPECT_EQ (lines_of (read_bytes (directory.file ("target.jsonl"))).size (), 1u);
}

TEST_F (JsonlSinkTest, RefusesADirectory)
{
  EXPECT_FALSE (sink.create ({ "path=" + directory.path () }));
  EXPECT_EQ (sink.fault, "path: '" + directory.path () + "' is a directory; a file, a FIFO or a character device would do");
}

TEST_F (JsonlSinkTest, RefusesASocket)
{
  int fd = socket (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};

  address.sun_family = AF_UNIX;
  g_strlcpy (address.sun_path, path.c_str (), sizeof address.sun_path);
  ASSERT_EQ (bind (fd, reinterpret_cast<sockaddr *> (&address), sizeof address), 0);
  EXPECT_FALSE (create ());
  EXPECT_EQ (sink.fault, "path: '" + path + "' is a socket; a file, a FIFO or a character device would do, "
                         "or for standard output '-'");
  close (fd);
}

TEST_F (JsonlSinkTest, RefusesAFileInNoDirectory)
{
  EXPECT_FALSE (sink.create ({ "path=" + directory.file ("none/x") }));
  EXPECT_EQ (sink.fault, "path: '" + directory.file ("none/x") + "': there is no directory '" + directory.file ("none") +
                         "'; one that is there would do");
  directory.write ("plain", "");
  EXPECT_FALSE (sink.create ({ "path=" + directory.file ("plain/x") }));
  EXPECT_NE (sink.fault.find ("plain/x': Not a directory; a file that this user may write to would do"), std::string::npos)
    << sink.fault;
}

/* Root too. */
TEST_F (JsonlSinkTest, RefusesAFileSystemThatIsReadOnly)
{
  if (access ("/proc/version", F_OK) != 0)
    GTEST_SKIP () << "no /proc";
  EXPECT_FALSE (sink.create ({ "path=/proc/self/new" }));
  EXPECT_NE (sink.fault.find ("path: '/proc/self/new': no file can be made in '/proc/self'"), std::string::npos) << sink.fault;
}

/* -------------------------------------------------------------------- loss */

/* Fills SINK until it says so; how many events it was given. */
unsigned
overfill (SinkUnderTest *sink)
{
  unsigned n = 0;

  for (; sink->logged.empty () && n < 100000; n++)
    sink->tell (CENOTE_EVENT_PLUGIN_LOADED, std::to_string (n).c_str ());
  EXPECT_EQ (sink->logged.size (), 1u);
  return n;
}

/* Each of N events is a line of LINES, in order, or counted by one that says how many are missing there. */
void
expect_all_told (const std::vector<std::string> &lines, unsigned n)
{
  unsigned next = 0;

  for (const std::string &text : lines) {
    Line line (text);
    if (line.text ("event") == "telemetry.lost") {
      EXPECT_GT (line.number ("count"), 0);
      next += static_cast<unsigned> (line.number ("count"));
    } else {
      EXPECT_EQ (line.text ("reason"), std::to_string (next));
      next++;
    }
  }
  EXPECT_EQ (next, n);
}

TEST_F (JsonlSinkTest, AFullFifoLosesWholeLinesAndSaysHowMany)
{
  ASSERT_EQ (mkfifo (path.c_str (), 0600), 0);
  int reader = open (path.c_str (), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_TRUE (create ()) << sink.fault;

  unsigned n = overfill (&sink);
  EXPECT_EQ (sink.logged[0], "path: '" + path + "': lines dropped: nobody reads fast enough (1 so far)");
  for (unsigned more = 0; more < 10; more++)
    sink.tell (CENOTE_EVENT_PLUGIN_LOADED, std::to_string (n++).c_str ());
  std::string all = read_all (reader);
  EXPECT_NE (all.back (), '\n') << "the pipe took a part of a line, or this test shows nothing";
  for (unsigned turn = 0; turn < 8; turn++) {
    sink.flush ();
    all += read_all (reader);
  }
  sink.tell (CENOTE_EVENT_PLUGIN_LOADED, std::to_string (n++).c_str ());
  all += read_all (reader);
  expect_all_told (lines_of (all), n);
  EXPECT_EQ (sink.logged.size (), 1u) << "once a minute at most";
  close (reader);
}

TEST_F (JsonlSinkTest, LossesAreToldOnceAMinute)
{
  ASSERT_EQ (mkfifo (path.c_str (), 0600), 0);
  int reader = open (path.c_str (), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_TRUE (create ()) << sink.fault;

  overfill (&sink);
  sink.now_us += 59 * 1000000;
  sink.tell (CENOTE_EVENT_PLUGIN_LOADED);
  EXPECT_EQ (sink.logged.size (), 1u);
  sink.now_us += 1000000;
  sink.tell (CENOTE_EVENT_PLUGIN_LOADED);
  ASSERT_EQ (sink.logged.size (), 2u);
  EXPECT_NE (sink.logged[1].find ("(3 so far)"), std::string::npos) << sink.logged[1];
  sink.destroy ();
  EXPECT_EQ (sink.logged.back (), "ends with lines that could not be written");
  close (reader);
}

TEST_F (JsonlSinkTest, AFifoThatNobodyReadsYetGetsItsLinesLater)
{
  ASSERT_EQ (mkfifo (path.c_str (), 0600), 0);
  ASSERT_TRUE (create ()) << sink.fault;
  sink.tell (CENOTE_EVENT_PLUGIN_LOADED, "0");
  int reader = open (path.c_str (), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  sink.tell (CENOTE_EVENT_PLUGIN_LOADED, "1");
  expect_all_told (lines_of (read_all (reader)), 2);
  EXPECT_TRUE (sink.logged.empty ()) << sink.logged[0];
  close (reader);
}

/* Its own thread blocks no signal: SIGPIPE would end this program. */
TEST_F (JsonlSinkTest, AReaderThatLeavesIsNoSignalAndTheNextBeginsWithALine)
{
  ASSERT_EQ (mkfifo (path.c_str (), 0600), 0);
  int reader = open (path.c_str (), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ASSERT_TRUE (create ()) << sink.fault;

  unsigned n = overfill (&sink);
  EXPECT_NE (read_all (reader).back (), '\n') << "the reader leaves inside a line";
  close (reader);
  sink.tell (CENOTE_EVENT_PLUGIN_LOADED, std::to_string (n++).c_str ());
  reader = open (path.c_str (), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  std::string all;
  for (unsigned turn = 0; turn < 8; turn++) {
    sink.flush ();
    all += read_all (reader);
  }
  EXPECT_EQ (all[0], '{');
  std::vector<std::string> lines = lines_of (all);
  EXPECT_EQ (Line (lines.back ()).text ("event"), "telemetry.lost");
  close (reader);
}

TEST_F (JsonlSinkTest, AFullDiskIsTold)
{
  if (access ("/dev/full", W_OK) != 0)
    GTEST_SKIP () << "no /dev/full";
  ASSERT_TRUE (sink.create ({ "path=/dev/full" })) << sink.fault;
  sink.tell (CENOTE_EVENT_PLUGIN_LOADED);
  ASSERT_EQ (sink.logged.size (), 1u);
  EXPECT_EQ (sink.logged[0], "path: '/dev/full': No space left on device (1 so far)");
}

/* ---------------------------------------------------------------- rotation */

TEST_F (JsonlSinkTest, ARenamedFileIsFollowedByANewOneAfterASecond)
{
  std::string old = directory.file ("events.jsonl.1");

  ASSERT_TRUE (create ({ "reopen-on-sighup=no" })) << sink.fault;
  EXPECT_EQ (sink.poll (), sink.now_us + 1000000);
  sink.tell (CENOTE_EVENT_PLUGIN_LOADED, "0");
  ASSERT_EQ (rename (path.c_str (), old.c_str ()), 0);
  sink.tell (CENOTE_EVENT_PLUGIN_LOADED, "1");
  EXPECT_EQ (lines_of (read_bytes (old)).size (), 2u) << "nobody looked yet";
  sink.now_us += 1000000;
  sink.poll ();
  EXPECT_TRUE (g_file_test (path.c_str (), G_FILE_TEST_EXISTS));
  sink.tell (CENOTE_EVENT_PLUGIN_LOADED, "2");
  EXPECT_EQ (lines_of (read_bytes (old)).size (), 2u);
  EXPECT_EQ (Line (written ().at (0)).text ("reason"), "2");
}

TEST_F (JsonlSinkTest, WhereNoNewFileCanBeMadeTheOldOneGoesOn)
{
  std::string inner = directory.file ("logs"), old = directory.file ("moved");

  ASSERT_EQ (g_mkdir (inner.c_str (), 0700), 0);
  ASSERT_TRUE (sink.create ({ "path=" + inner + "/x" })) << sink.fault;
  sink.tell (CENOTE_EVENT_PLUGIN_LOADED, "0");
  ASSERT_EQ (rename ((inner + "/x").c_str (), old.c_str ()), 0);
  ASSERT_EQ (g_rmdir (inner.c_str ()), 0);
  sink.poll ();
  sink.tell (CENOTE_EVENT_PLUGIN_LOADED, "1");
  expect_all_told (lines_of (read_bytes (old)), 2);
  ASSERT_EQ (sink.logged.size (), 1u);
  EXPECT_EQ (sink.logged[0], "path: '" + inner + "/x': No such file or directory (1 so far)");
}

/* Runs FUNC in a child of its own, whose signals are its own; its exit status, or -signal. */
template <typename Func>
int
in_child (Func func)
{
  int status = 0;
  pid_t child = fork ();

  if (child == 0)
    _exit (func ());
  EXPECT_EQ (waitpid (child, &status, 0), child);
  return WIFSIGNALED (status) ? -WTERMSIG (status) : WEXITSTATUS (status);
}

/* As another user where this is root, who may write everywhere. */
TEST_F (JsonlSinkTest, RefusesWhereItMayNotWrite)
{
  std::string file = directory.write ("mine", "");

  g_chmod (file.c_str (), 0444);
  g_chmod (directory.path ().c_str (), 0555);
  EXPECT_EQ (in_child ([&] {
    if (geteuid () == 0 && setresuid (65534, 65534, 65534) != 0)
      return 1;
    if (sink.create ({ "path=" + file }) ||
        sink.fault != "path: '" + file + "': Permission denied; a file that this user may write to would do")
      return 2;
    if (create () || sink.fault != "path: '" + path + "': no file can be made in '" + directory.path () +
                                     "': Permission denied; a directory that this user may write to would do")
      return 3;
    return 0;
  }), 0);
  g_chmod (directory.path ().c_str (), 0700);
}

volatile sig_atomic_t program_hangups;

TEST_F (JsonlSinkTest, SighupOpensTheFileAnewAndEndsNothing)
{
  std::string old = directory.file ("events.jsonl.1");

  EXPECT_EQ (in_child ([&] {
    signal (SIGHUP, SIG_DFL);
    if (!create ())
      return 1;
    sink.tell (CENOTE_EVENT_PLUGIN_LOADED, "0");
    if (rename (path.c_str (), old.c_str ()) != 0 || kill (getpid (), SIGHUP) != 0)
      return 2;
    sink.tell (CENOTE_EVENT_PLUGIN_LOADED, "1");
    return 0;
  }), 0);
  expect_all_told (lines_of (read_bytes (old)), 1);
  EXPECT_EQ (Line (written ().at (0)).text ("reason"), "1");
}

TEST_F (JsonlSinkTest, TheProgramsHandlerIsCalledAsBeforeAndIsThereAgainAfterTheLastSink)
{
  EXPECT_EQ (in_child ([&] {
    SinkUnderTest second ("jsonl");
    struct sigaction now;
    auto count = [] (int) { program_hangups = program_hangups + 1; };

    signal (SIGHUP, count);
    if (!create () || !second.create ({ "path=" + path }))
      return 1;
    kill (getpid (), SIGHUP);
    if (program_hangups != 1)
      return 2;
    sink.destroy ();
    kill (getpid (), SIGHUP);
    if (program_hangups != 2)
      return 3;
    second.destroy ();
    sigaction (SIGHUP, nullptr, &now);
    return now.sa_handler == static_cast<void (*) (int)> (count) ? 0 : 4;
  }), 0);
}

TEST_F (JsonlSinkTest, AnIgnoredSighupStaysIgnored)
{
  EXPECT_EQ (in_child ([&] {
    struct sigaction now;

    signal (SIGHUP, SIG_IGN);
    if (!create ())
      return 1;
    sigaction (SIGHUP, nullptr, &now);
    return now.sa_handler == SIG_IGN ? 0 : 2;
  }), 0);
}

TEST_F (JsonlSinkTest, WithoutTheOptionOrAFileTheSignalIsThePrograms)
{
  EXPECT_EQ (in_child ([&] {
    signal (SIGHUP, SIG_DFL);
    if (create ({ "reopen-on-sighup=no" }))
      kill (getpid (), SIGHUP);
    return 1;
  }), -SIGHUP);
  EXPECT_EQ (in_child ([&] {
    signal (SIGHUP, SIG_DFL);
    if (sink.create ({}))
      kill (getpid (), SIGHUP);
    return 1;
  }), -SIGHUP);
}

/* The kernel's own, of a terminal that is gone. */
TEST_F (JsonlSinkTest, TheHangupOfATerminalStillEndsAProgramThatLeftTheSignalAlone)
{
  EXPECT_EQ (in_child ([&] {
    int master = posix_openpt (O_RDWR | O_NOCTTY | O_CLOEXEC);

    signal (SIGHUP, SIG_DFL);
    setsid ();
    if (master < 0 || grantpt (master) != 0 || unlockpt (master) != 0 || open (ptsname (master), O_RDWR | O_CLOEXEC) < 0)
      return 1;
    if (!create ())
      return 2;
    close (master);
    return 3;
  }), -SIGHUP);
}

/* ------------------------------------------------------------------ stdout */

/* What stdout is while it lives; tests say nothing then. */
class Stdout {
public:
  explicit Stdout (int fd) : saved_ (fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, 3))
  {
    fflush (stdout);
    dup2 (fd, STDOUT_FILENO);
  }

  ~Stdout ()
  {
    fflush (stdout);
    dup2 (saved_, STDOUT_FILENO);
    close (saved_);
  }

private:
  int saved_;
};

TEST_F (JsonlSinkTest, StdoutMayBeAPipeWhoseFlagsStay)
{
  int ends[2];

  ASSERT_EQ (pipe2 (ends, O_CLOEXEC), 0);
  {
    Stdout redirected (ends[1]);
    ASSERT_TRUE (sink.create ({})) << sink.fault;
  }
  unsigned n = overfill (&sink);
  EXPECT_EQ (sink.logged[0], "stdout: lines dropped: nobody reads fast enough (1 so far)");
  EXPECT_EQ (fcntl (ends[1], F_GETFL) & O_NONBLOCK, 0) << "the program's own writes wait as before";
  fcntl (ends[0], F_SETFL, O_NONBLOCK);
  std::string all;
  for (unsigned turn = 0; turn < 8; turn++) {
    all += read_all (ends[0]);
    sink.flush ();
  }
  expect_all_told (lines_of (all), n);
  close (ends[0]);
  close (ends[1]);
  sink.tell (CENOTE_EVENT_PLUGIN_LOADED);
  EXPECT_GE (sink.logged.size (), 2u);
  EXPECT_EQ (sink.logged[1], "stdout: Broken pipe (1 so far)");
}

TEST_F (JsonlSinkTest, StdoutMayBeAFileThatTheProgramWritesToAsWell)
{
  int fd = open (path.c_str (), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  {
    Stdout redirected (fd);
    ASSERT_TRUE (sink.create ({ "path=-" })) << sink.fault;
  }
  EXPECT_EQ (write (fd, "one\n", 4), 4);
  sink.tell (CENOTE_EVENT_PLUGIN_LOADED);
  EXPECT_EQ (write (fd, "two\n", 4), 4);
  EXPECT_EQ (read_bytes (path), "one\n{\"event\":\"plugin.loaded\"}\ntwo\n");
  close (fd);
}

TEST_F (JsonlSinkTest, StdoutMayBeASocket)
{
  int ends[2];

  ASSERT_EQ (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  {
    Stdout redirected (ends[1]);
    ASSERT_TRUE (sink.create ({})) << sink.fault;
  }
  unsigned n = overfill (&sink);
  fcntl (ends[0], F_SETFL, O_NONBLOCK);
  std::string all;
  for (unsigned turn = 0; turn < 16; turn++) {
    all += read_all (ends[0]);
    sink.flush ();
  }
  expect_all_told (lines_of (all), n);
  close (ends[0]);
  close (ends[1]);
}

TEST_F (JsonlSinkTest, AStdoutThatIsClosedIsAFault)
{
  EXPECT_EQ (in_child ([&] {
    close (STDOUT_FILENO);
    if (sink.create ({}))
      return 1;
    return sink.fault == "path: standard output: Bad file descriptor; the path of a file would do" ? 0 : 2;
  }), 0);
}

} // namespace
