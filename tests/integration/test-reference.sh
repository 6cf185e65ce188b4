#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The API reference is made of the headers without a warning and has every exported function; so
# has libcenote(3), and no other.  What is missing in a header's comment is told, and fails.  Of the
# C++ headers it has what is public, each with a comment.

: "${abs_top_srcdir:?}" "${abs_top_builddir:?}"
. "$abs_top_srcdir/tests/script.sh"
page=$abs_top_builddir/doc/man/libcenote.3
reference=$abs_top_builddir/doc/reference.html

make_reference ()
{
  "${AWK:-awk}" -v form="$1" -f "$abs_top_srcdir/doc/reference-cpp.awk" -f "$abs_top_srcdir/doc/reference.awk" "${@:2}"
}

all_headers ()
{
  ls -- "$abs_top_srcdir"/include/cenote/*.h "$abs_top_builddir/include/cenote/version.h" | grep -v '/cenote\.h$'
}

# makes_no_warning FORM HEADER...
makes_no_warning ()
{
  make_reference "$@" >"$scratch/out" 2>"$scratch/err" && [ ! -s "$scratch/err" ] || { cat "$scratch/err"; return 1; }
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

# What is public in a class of HEADER.hpp, or free, as its lines are indented; the bodies are further to the right.
public_cpp_names ()
{
  sed -e '/^namespace detail {/,/^} .. namespace detail/d' -e '/^private:/,/^};/d' "$1" |
    grep -E '^(  )?[A-Za-z~].*[a-z_]+( \(|;)' | grep -vE '^[A-Za-z]+::|^ *(class|using|return|delete) |  : ' |
    sed -E -e 's/^.*> ([a-z_]+);$/\1/' -e 's/^[^(]*[ *&]([A-Za-z_]+) \(.*/\1/' | grep -xE '[A-Za-z_]+' | sort -u
}

# What the reference says of the C++ headers names them all in code.
reference_has_what_is_public ()
{
  sed -n '/<h1>.*\.hpp&gt;/,$p' "$reference" | sed -n '/<pre>/,/<\/pre>/p' >"$scratch/code"
  public_cpp_names "$abs_top_srcdir/include/cenote/cenote.hpp" >"$scratch/public"
  [ "$(wc -l <"$scratch/public")" -gt 20 ] || { cat "$scratch/public"; return 1; }
  while read -r name; do
    grep -qw -- "$name" "$scratch/code" || { echo "$name is not in it"; return 1; }
  done <"$scratch/public"
}

good_class='/* A thing. */
class Thing : public Base {
public:
  /* Of NAME. */
  explicit Thing (const char *name)
    : name_ (name), n_ (0)
  {
    sort ();
  }
  Thing (const Thing &) = delete;
  ~Thing () { free (name_); }

  /* How many there are of TEXT. */
  std::map<int, int>
  count (const std::string &text) const noexcept
  {
    if (text.empty ()) {
      return {};
    }

    return n_;
  }
  int count () const;
  /* What it was. */
  int past = 0;

private:
  void sort ();
  int n_;
};

/* Ends THING. */
template <typename T>
inline void end (Thing<T> &thing) { thing = {}; }

namespace detail {
/* Inside. */
int inside (void);
}

inline int
Thing::count () const
{
  return 0;
}'

# cpp_header CLASS: as a file.
cpp_header ()
{
  {
    printf '%s\n' '/* <cenote/thing.hpp>: things. */' 'namespace other {' 'class Far;' 'int far ();' '}'
    printf 'namespace cenote {\n\n%s\n\n} // namespace cenote\n' "$1"
  } >"$scratch/thing.hpp"
}

cpp_code ()
{
  cpp_header "$1"
  make_reference html "$scratch/thing.hpp" >"$scratch/out" || return
  sed -e '1,/<h1>/d' -e 's/<pre>//' "$scratch/out" | grep -vxE '</?(section|pre|html)>'
}

is_what_is_public ()
{
  cpp_code "$good_class" >"$scratch/code" || return
  diff - "$scratch/code" <<'END'
<p>&lt;cenote/thing.hpp&gt;: things.</p>
class cenote::Thing : public Base;
<p>A thing.</p>
explicit Thing (const char *name);
Thing (const Thing &amp;) = delete;
~Thing ();
<p>Of NAME.</p>
std::map&lt;int, int&gt;
count (const std::string &amp;text) const noexcept;
int count () const;
<p>How many there are of TEXT.</p>
int past = 0;
<p>What it was.</p>
template &lt;typename T&gt;
inline void end (Thing&lt;T&gt; &amp;thing);
<p>Ends THING.</p>
END
}

# warns_of NAME COMMENT: where the line COMMENT is left out, and of nothing else.
warns_of ()
{
  cpp_header "$(printf '%s\n' "$good_class" | grep -vxF -- "$2")"
  ! make_reference html "$scratch/thing.hpp" >/dev/null 2>"$scratch/err" || return
  cat "$scratch/err"
  [ "$(sort -u "$scratch/err")" = "reference: <cenote/thing.hpp>: cenote::$1: no comment on it" ]
}

warns_of_no_end ()
{
  cpp_header "$(printf '%s\n' "$good_class" | grep -vx '};')"
  ! make_reference html "$scratch/thing.hpp" >/dev/null 2>"$scratch/err" || return
  cat "$scratch/err"
  grep -q 'it ends within cenote::' "$scratch/err"
}

mapfile -t headers < <(all_headers)
mapfile -t cpp_headers < <(ls -- "$abs_top_srcdir"/include/cenote/*.hpp)
exported >"$scratch/exported"

case_is 'the reference is made without a warning' makes_no_warning html "${headers[@]}" "${cpp_headers[@]}"
case_is 'and so is the list of functions' makes_no_warning list "${headers[@]}"
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
case_is 'the reference has what is public in C++' reference_has_what_is_public
case_is 'of C++ what is public is taken, without its bodies' is_what_is_public
case_is 'a class without a comment is told' warns_of Thing '/* A thing. */'
case_is 'so is a constructor' warns_of Thing::Thing '  /* Of NAME. */'
case_is 'so is a method' warns_of Thing::count '  /* How many there are of TEXT. */'
case_is 'so is a free function' warns_of end '/* Ends THING. */'
case_is 'a header whose braces do not close is told' warns_of_no_end

finish
