/* SPDX-License-Identifier: Apache-2.0 */
/* sanitizers: whether a test is compiled for one, as gcc says it and as clang does. */
#ifndef CENOTE_TESTS_SANITIZERS_H
#define CENOTE_TESTS_SANITIZERS_H

#if defined __SANITIZE_ADDRESS__
#define UNDER_ASAN 1
#elif defined __has_feature
#if __has_feature(address_sanitizer)
#define UNDER_ASAN 1
#endif
#endif
#ifndef UNDER_ASAN
#define UNDER_ASAN 0
#endif

#if defined __SANITIZE_THREAD__
#define UNDER_TSAN 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define UNDER_TSAN 1
#endif
#endif
#ifndef UNDER_TSAN
#define UNDER_TSAN 0
#endif

#endif
