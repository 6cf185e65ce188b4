#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The API reference is made of the headers without a warning and has every exported function; so
# has libcenote(3), and no other.  What is missing in a header's comment is told, and fails.

: "${abs_top_srcdir:?}" "${abs_top_builddir:?}"
. "$abs_top_srcdir/tests/script.sh"
page=$abs_top_builddir/doc/man/libcenote.3
reference=$abs_top_builddir/doc/reference.html

make_reference ()
{
  "${AWK:-awk}" -v form="$1" -f "$abs_top_srcdir/doc/reference.awk" "${@:2}"
}

all_headers ()
{
  ls -- "$abs_top_srcdir"/include/cenote/*.h "$abs_top_builddir/include/cenote/version.h" | grep -v '/cenote\.h$'
}

makes_no_warning ()
{
  make_reference "$1" "${headers[@]}" >"$scratch/out" 2>"$scratch/err" && [ ! -s "$scratch/err" ] || { cat "$scratch/err"; return 1; }
}

exported ()
{
  {
    sed -n 's/^ *\(cenote_[a-z0-9_]*\);$/\1/p' "$abs_top_srcdir/core/libcenote.map"
    grep -oE 'cenote_protobuf_c_[a-z_]+ \(' "$abs_top_srcdir/include/cenote/protobuf-c.h" | grep -oE '^[a-z_]+' | grep -v __
  } | sort -u
}

page_has_what_is_exported ()
{
  diff "$scratch/exported" <(awk '/^\.SH/ { here = /FUNCTIONS/ } here && /^\.BR cenote_/ { print $2 }' "$page" | sort)
}

reference_has_what_is_exported ()
{
  diff "$scratch/exported" <(sed -n 's/.*CENOTE_API .*[ *]\(cenote_[a-z0-9_]*\) (.*/\1/p' "$reference" | sort -u)
}

# Each element that begins in FILE ends there, within the one that it began in.
is_well_formed ()
{
  /usr/bin/python3 -c '
import html.parser, sys
class Reader (html.parser.HTMLParser):
    open = []
    def handle_starttag (self, tag, attributes):
        if tag != "meta": self.open.append (tag)
    def handle_endtag (self, tag):
        begun = self.open.pop ()
        assert begun == tag, "%s ends where %s is open, line %d" % (tag, begun, self.getpos () [0])
reader = Reader (); reader.feed (open (sys.argv[1]).read ()); reader.close ()
assert not reader.open, reader.open' "$1"
}

good_comment='/**
 * cenote_thing_do:
 * @thing: what it is done to
 *
 * Does it.
 * Returns: whether it did.
 * Errors: none.  Threads: any.  Blocks: no.  Since: 0.1
 */'

# header COMMENT: as a file.
header ()
{
  printf '/* <cenote/thing.h>: things. */\n%s\nCENOTE_API gboolean cenote_thing_do (Thing *thing);\n' "$1" >"$scratch/thing.h"
}

is_taken ()
{
  header "$1"
  make_reference html "$scratch/thing.h" >/dev/null
}

# warns WHAT COMMENT: exactly once, and the exit status says so.
warns ()
{
  header "$2"
  ! make_reference html "$scratch/thing.h" >/dev/null 2>"$scratch/err" || return
  cat "$scratch/err"
  [ "$(cat "$scratch/err")" = "reference: <cenote/thing.h>: cenote_thing_do: $1" ]
}

mapfile -t headers < <(all_headers)
exported >"$scratch/exported"

case_is 'the reference is made without a warning' makes_no_warning html
case_is 'and so is the list of functions' makes_no_warning list
case_is 'functions are exported' test -s "$scratch/exported"
case_is 'libcenote(3) has every exported function and no other' page_has_what_is_exported
case_is 'the reference has every exported function and no other' reference_has_what_is_exported
case_is 'the reference is well-formed' is_well_formed "$reference"
case_is 'a whole comment is taken' is_taken "$good_comment"
for word in Returns Errors Threads Blocks Since; do
  case_is "a comment without $word: is told" warns "it has no \"$word:\"" "${good_comment/$word:/As for $word}"
done
case_is 'a parameter that there is not is told' warns 'it has no parameter thong' "${good_comment/@thing/@thong}"
case_is 'a function without a comment is told' warns 'no comment on it' ''

finish
