/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls-file: reads a certificate's or key's file, and nothing that could hang or
 * swamp us: regular files only, at most TLS_FILE_MAX_BYTES.
 *
 * Pure, apart from the file.  Faults say what is wrong with the file without its name.
 */
#ifndef CENOTE_TLS_FILE_H
#define CENOTE_TLS_FILE_H

#include <glib.h>
#include <sys/stat.h>

G_BEGIN_DECLS

/* A system's bundle of CAs has some 200 KiB. */
#define TLS_FILE_MAX_BYTES (4u * 1024 * 1024)

/* What tells that a file is another one, or has changed; all 0: there is none. */
typedef struct TlsStamp {
  dev_t device;
  ino_t inode;
  off_t size;
  struct timespec written;
  struct timespec changed;   /* its metadata, which a writer cannot set back */
} TlsStamp;

typedef struct TlsFile {
  char *text;                /* NUL-terminated, without another NUL */
  TlsStamp stamp;            /* taken before it was read */
  mode_t mode;
} TlsFile;

/* FALSE: OUT_FAULT (transfer full) says why, and OUT_FILE is untouched. */
gboolean tls_file_read (const char *path, TlsFile *out_file, char **out_fault);
/* Overwrites what was read, which may be a key. */
void tls_file_clear (TlsFile *file);

TlsStamp tls_file_look (const char *path);
gboolean tls_stamp_equal (const TlsStamp *a, const TlsStamp *b);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TlsFile, tls_file_clear)

G_END_DECLS

#endif
