# SPDX-License-Identifier: Apache-2.0
# Faces of the library for what other libraries generate.  One whose package is
# absent is left out by configure.

if HAVE_PROTOBUF_C
cenoteinclude_HEADERS += include/cenote/protobuf-c.h
pkgconfig_DATA += cenote-protobuf-c.pc

lib_LTLIBRARIES += libcenote-protobuf-c.la
# As libcenote's own, and for the same reasons.
libcenote_protobuf_c_la_CFLAGS = $(AM_CFLAGS) -fvisibility=hidden -ftls-model=initial-exec -fno-plt
libcenote_protobuf_c_la_CPPFLAGS = $(AM_CPPFLAGS) $(PROTOBUF_C_CFLAGS) -DG_LOG_DOMAIN='"Cenote"'
libcenote_protobuf_c_la_LIBADD = libcenote.la $(PROTOBUF_C_LIBS) $(GLIB_LIBS)
libcenote_protobuf_c_la_LDFLAGS = $(AM_LDFLAGS) -version-info $(LIBRARY_VERSION) \
  -export-symbols-regex '^cenote_protobuf_c_'
libcenote_protobuf_c_la_SOURCES = \
  adapters/protobuf-c/message.c \
  adapters/protobuf-c/message.h \
  adapters/protobuf-c/scratch.c \
  adapters/protobuf-c/scratch.h \
  adapters/protobuf-c/service.c \
  adapters/protobuf-c/stream.c
endif
EXTRA_DIST += include/cenote/protobuf-c.h
