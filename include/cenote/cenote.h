/* SPDX-License-Identifier: Apache-2.0 */
/* <cenote/cenote.h>: the whole C API for programs.  Plugins include <cenote/plugin.h> alone. */
#ifndef CENOTE_H
#define CENOTE_H

#include <cenote/call.h>
#include <cenote/config.h>
#include <cenote/error.h>
#include <cenote/plugin.h>
#include <cenote/pool.h>
#include <cenote/registry.h>
#include <cenote/runtime.h>
#include <cenote/telemetry.h>
#include <cenote/version.h>

#endif
