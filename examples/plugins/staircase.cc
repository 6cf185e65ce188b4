// SPDX-License-Identifier: Apache-2.0
//
// backoff/staircase: a plugin in C++17.  A few attempts at each delay, then a longer one:
//
//   [backoff:patient]
//   plugin=staircase
//   steps=100ms;1s;10s
//   attempts=3
//
// Build it, with nothing but <cenote/plugin.h> and the C++ library:
//
//   c++ -std=c++17 -shared -fPIC $(pkg-config --cflags cenote) staircase.cc -o backoff-staircase.so
//   cenote test-plugin ./backoff-staircase.so
//
// The class knows nothing of Cenote.  What the host calls are the functions at the end, and what
// they throw ends there: an exception must not cross the boundary.
#include <cenote/plugin.h>

#include <cstdlib>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace {

class Staircase
{
public:
  Staircase (std::vector<int64_t> steps_us, int64_t attempts) : steps_us_ (std::move (steps_us)), attempts_ (attempts) {}

  int64_t
  next ()
  {
    size_t step = static_cast<size_t> (made_ / attempts_);

    if (step >= steps_us_.size ())
      return steps_us_.back ();
    made_++;
    return steps_us_[step];
  }

  void reset () { made_ = 0; }

private:
  std::vector<int64_t> steps_us_; // one at least
  int64_t attempts_;              // at each, 1 or more
  int64_t made_ = 0;
};

// "100ms"; the host has no list of durations.
int64_t
read_step (const std::string &text)
{
  static const struct { const char *name; double us; } units[] = { { "us", 1 }, { "ms", 1e3 }, { "s", 1e6 }, { "min", 6e7 } };
  char *end = nullptr;
  double number = std::strtod (text.c_str (), &end);

  for (const auto &unit : units)
    if (end != text.c_str () && unit.name == std::string (end) && number >= 0 && number * unit.us <= 864e8)
      return static_cast<int64_t> (number * unit.us);
  throw std::invalid_argument ("steps: '" + text + "' is no delay (a number and us, ms, s or min, at most a day)");
}

// --------------------------------------------------------------- the boundary

enum { STEPS, ATTEMPTS };

constexpr CenoteOption options[] = {
  { "steps", CENOTE_OPTION_LIST, 0, "100ms;1s;10s", nullptr, nullptr, nullptr, "The delays, from the first to the last" },
  { "attempts", CENOTE_OPTION_INT, 0, "3", "1", "1000000", nullptr, "How many attempts each delay is for" },
};

Staircase *
read_options (const CenoteOptions *values)
{
  const CenoteValue *steps = cenote_options_at (values, STEPS);
  std::vector<int64_t> steps_us;

  for (int64_t i = 0; i < steps->number; i++)
    steps_us.push_back (read_step (steps->list[i]));
  if (steps_us.empty ())
    throw std::invalid_argument ("steps: there is none (expected one at least)");
  return new Staircase (std::move (steps_us), cenote_options_at (values, ATTEMPTS)->number);
}

void *
create (const CenoteHost *host, const CenoteOptions *values, CenoteFault *fault) noexcept
{
  try {
    return read_options (values);
  } catch (const std::exception &problem) {
    host->fail (host, fault, problem.what ());
  } catch (...) {
    host->fail (host, fault, "it threw what is no std::exception");
  }
  return nullptr;
}

int64_t
next (void *state) noexcept
{
  return static_cast<Staircase *> (state)->next ();
}

void
reset (void *state) noexcept
{
  static_cast<Staircase *> (state)->reset ();
}

void
destroy (void *state) noexcept
{
  delete static_cast<Staircase *> (state);
}

constexpr CenoteBackoffOps ops = { sizeof (CenoteBackoffOps), 0, create, next, reset, destroy };

constexpr CenotePlugin plugin = cenote_plugin (&ops, "staircase", "1.0.0", "A few attempts at each delay, then a longer one",
                                               "Apache-2.0", options);

} // namespace

CENOTE_PLUGIN_DEFINE (plugin, CENOTE_PLUGIN_BACKOFF, "staircase")
