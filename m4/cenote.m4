# SPDX-License-Identifier: Apache-2.0
# Macros of Cenote's configure.ac.

# CENOTE_DEFINE_DIR(NAME, DIRECTORY, DESCRIPTION)
# Defines NAME in the config header as DIRECTORY with ${libdir}, ${prefix} and
# the like written out, as the installed library needs it.
AC_DEFUN([CENOTE_DEFINE_DIR], [
  cenote_dir=$2
  cenote_dir=$(
    test "x$prefix" = xNONE && prefix=$ac_default_prefix
    test "x$exec_prefix" = xNONE && exec_prefix=$prefix
    while :; do
      case $cenote_dir in
        *'${'*) eval "cenote_dir=\"$cenote_dir\"" ;;
        *) break ;;
      esac
    done
    AS_ECHO(["$cenote_dir"])
  )
  AC_DEFINE_UNQUOTED([$1], ["$cenote_dir"], [$3])
])

# CENOTE_GRPC
# Sets GRPC_CFLAGS and GRPC_LIBS.  grpc.pc names some sixty libraries, of which
# we call two; a shared libgrpc brings the others itself, and libtool moves
# --as-needed behind the libraries that it should govern.  A static libgrpc
# needs all that pkg-config says.
AC_DEFUN([CENOTE_GRPC], [
  PKG_CHECK_MODULES([GRPC], [grpc >= 26.0])
  cenote_grpc_short="$(printf '%s\n' $GRPC_LIBS | grep '^-L' | tr '\n' ' ')-lgrpc -lgpr"
  AC_CACHE_CHECK([whether -lgrpc -lgpr alone link], [cenote_cv_grpc_short], [
    cenote_save_LIBS=$LIBS cenote_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $GRPC_CFLAGS"
    LIBS="$cenote_grpc_short $LIBS"
    AC_LINK_IFELSE(
      [AC_LANG_PROGRAM([[#include <grpc/grpc.h>
                         #include <grpc/support/alloc.h>]],
                       [[grpc_init (); gpr_free (gpr_malloc (1)); grpc_shutdown ();]])],
      [cenote_cv_grpc_short=yes], [cenote_cv_grpc_short=no])
    LIBS=$cenote_save_LIBS CFLAGS=$cenote_save_CFLAGS
  ])
  AS_IF([test "x$cenote_cv_grpc_short" = xyes],
    [GRPC_LIBS=$cenote_grpc_short])
])

# CENOTE_GRPC_MIN_TLS
# C-core 1.51 can be told the oldest version of TLS that it may speak, but by a
# function of C++ that it exports alone.  Defines HAVE_GRPC_SSL_MIN_VERSION where that is there.
AC_DEFUN([CENOTE_GRPC_MIN_TLS], [
  AC_CACHE_CHECK([whether gRPC can be told its oldest version of TLS], [cenote_cv_grpc_min_tls], [
    cenote_save_LIBS=$LIBS cenote_save_CFLAGS=$CFLAGS
    CFLAGS="$CFLAGS $GRPC_CFLAGS"
    LIBS="$GRPC_LIBS $LIBS"
    AC_LINK_IFELSE(
      [AC_LANG_PROGRAM([[#include <grpc/grpc_security.h>
                         extern void set_min_version (grpc_channel_credentials *credentials, grpc_tls_version version)
                           __asm__ ("_ZN20grpc_ssl_credentials19set_min_tls_versionE16grpc_tls_version");]],
                       [[set_min_version (0, TLS1_3);]])],
      [cenote_cv_grpc_min_tls=yes], [cenote_cv_grpc_min_tls=no])
    LIBS=$cenote_save_LIBS CFLAGS=$cenote_save_CFLAGS
  ])
  AS_IF([test "x$cenote_cv_grpc_min_tls" = xyes],
    [AC_DEFINE([HAVE_GRPC_SSL_MIN_VERSION], [1], [Whether grpc_ssl_credentials::set_min_tls_version() can be linked.])])
])

# CENOTE_PRECOMPILING
# Sets PRECOMPILE_FLAGS: what makes a C++ compiler do more of its work when it precompiles a header.
AC_DEFUN([CENOTE_PRECOMPILING], [
  AC_LANG_PUSH([C++])
  cenote_flags=$CXXFLAGS
  CXXFLAGS="$CXXFLAGS -Werror -fpch-instantiate-templates"
  AC_MSG_CHECKING([whether $CXX takes -fpch-instantiate-templates])
  AC_COMPILE_IFELSE([AC_LANG_SOURCE([[int main () { return 0; }]])],
    [PRECOMPILE_FLAGS=-fpch-instantiate-templates
     AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])])
  CXXFLAGS=$cenote_flags
  AC_LANG_POP
  AC_SUBST([PRECOMPILE_FLAGS])
])

# CENOTE_TEST_SET(NAME, CONDITIONAL)
# Whether NAME is among --enable-tests.
AC_DEFUN([CENOTE_TEST_SET],
  [AM_CONDITIONAL([$2], [case ",$enable_tests," in *,$1,*) true ;; *) false ;; esac])])

# CENOTE_SANITIZER
# --enable-sanitizer=address|thread|fuzzer: sets SANITIZER_FLAGS, for compiling and linking, and COVERAGE_FLAGS, for
# what fuzzers are to find their way through: what is written in C.  (In tests it would be half of a compiler's work.)
# TEST_SANITIZER_FLAGS leaves out of tests what looks at each use of a pointer: that is a fifth of it.
AC_DEFUN([CENOTE_SANITIZER], [
  AC_ARG_ENABLE([sanitizer],
    [AS_HELP_STRING([--enable-sanitizer=KIND],
      [address (with undefined and leaks), thread, or fuzzer (address for libFuzzer; needs clang)])],
    [], [enable_sanitizer=no])
  # C lets an enum hold any number of its type, and tests ask what becomes of one that has no name.
  not_enum=-fno-sanitize=enum
  AS_CASE([$enable_sanitizer],
    [no], [SANITIZER_FLAGS=],
    [address|fuzzer], [SANITIZER_FLAGS="-fsanitize=address,undefined $not_enum -fno-sanitize-recover=undefined -fno-omit-frame-pointer"],
    [thread], [SANITIZER_FLAGS="-fsanitize=thread -fno-omit-frame-pointer"],
    [AC_MSG_ERROR([--enable-sanitizer takes address, thread or fuzzer, not '$enable_sanitizer'])])
  AS_CASE([$enable_sanitizer], [fuzzer], [COVERAGE_FLAGS=-fsanitize=fuzzer-no-link], [COVERAGE_FLAGS=])
  AS_CASE([$enable_sanitizer], [address|fuzzer], [TEST_SANITIZER_FLAGS=-fno-sanitize=alignment,null,object-size,vptr],
    [TEST_SANITIZER_FLAGS=])
  AC_SUBST([SANITIZER_FLAGS])
  AC_SUBST([TEST_SANITIZER_FLAGS])
  AC_SUBST([COVERAGE_FLAGS])
  AM_CONDITIONAL([SANITIZER], [test "x$enable_sanitizer" != xno])
])
