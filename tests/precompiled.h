/* SPDX-License-Identifier: Apache-2.0 */
/*
 * precompiled: what nearly every test includes, compiled once for each build: these headers are most of what the
 * compiler reads.  It comes before a test's own first line; a test still includes what it uses.
 */
#include <glib.h>
#include <grpc/grpc.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>
