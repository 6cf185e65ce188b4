/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust: whether a file may run in this process, by who could have written it.
 *
 * A path is walked from "/" one name at a time, each directory opened by its
 * descriptor and judged before the next; what is opened in the end is what was
 * judged.  A symbolic link on the way is followed by reading it.  The file itself
 * is none: it is opened beneath its directory and nowhere else.
 *
 * Trusted owners are root, our effective user, and whoever can replace the code
 * that judges: the owner of libcenote's own file and those of the directories
 * above it.  He runs code here already; and so a checkout in a user's home works
 * that root builds.
 *
 * What anybody may write is refused: the file, its directory, and each directory
 * above but one with the sticky bit, in which nobody moves what is not his.  Such a
 * one may also belong to nobody (65534), who owns no files on any system: so
 * the /tmp of another shows in a container.  What a group may write is trusted:
 * /usr/local is group staff's where Debian is old.
 *
 * No state, any thread.
 */
#ifndef CENOTE_CORE_TRUST_H
#define CENOTE_CORE_TRUST_H

#include <glib.h>
#include <sys/stat.h>

/* A descriptor (O_PATH) of the directory PATH, for the caller to close.
 * -1: CENOTE_ERROR_PLUGIN naming what was found where and what was expected;
 * CENOTE_ERROR_NOT_FOUND where there is none. */
int trust_open_directory (const char *path, GError **error);

/* The same for the regular file PATH, open for reading. */
int trust_open_file (const char *path, GError **error);

/* ---------------------------------------------------------- the judgement alone */

typedef enum TrustPlace {
  TRUST_FILE,
  TRUST_DIRECTORY,           /* that holds the file */
  TRUST_PARENT,              /* a directory above that one */
  TRUST_LINK                 /* a symbolic link on the way: its mode says nothing */
} TrustPlace;

/* More than these own no directories above a library. */
#define TRUST_MAX_OWNERS 8

typedef struct TrustOwners {
  uid_t us;
  guint n_library;
  uid_t library[TRUST_MAX_OWNERS]; /* of libcenote's own file, then of the directories above, each once */
} TrustOwners;

gboolean trust_judge (const char *path, const struct stat *status, TrustPlace place, const TrustOwners *owners,
                      GError **error);

#endif
