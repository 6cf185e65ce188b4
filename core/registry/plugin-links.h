/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plugin-links: policy: what a plugin may link and must export, judged before any of it runs.
 *
 * A channel that one gRPC made is no channel to another: a plugin may need the
 * libgrpc that we need, or none, and has none within it.  libgrpc++ is built upon
 * libgrpc and needs that by itself.  No state, any thread.
 */
#ifndef CENOTE_CORE_PLUGIN_LINKS_H
#define CENOTE_CORE_PLUGIN_LINKS_H

#include "plugin-elf.h"

/* FALSE: CENOTE_ERROR_PLUGIN naming FILE, what it needs or defines, and what was expected. */
gboolean plugin_links_check (const ElfFile *file, GError **error);

/* The judgement alone, of two lists of DT_NEEDED: FILE's and that of our own file.
 * FALSE: as above. */
gboolean plugin_links_judge_needed (const ElfFile *file, const char *const *needed, const char *const *own,
                                    GError **error);

#endif
