# SPDX-License-Identifier: Apache-2.0
# The C++ headers of the API reference: what is in the namespace cenote, but not in its detail, and
# public.  Stands before reference.awk, whose functions it calls, and takes the lines of .hpp files.
#
# A comment is on the declarations that follow it, up to a blank line or to the next comment.  What
# has none is told as reference.awk tells it, but for what a class's own comment says: how it is
# made of nothing, copied, moved and destroyed.

FILENAME ~ /\.hpp$/ && FNR == 1 { begin_cpp_header() }
FILENAME ~ /\.hpp$/             { read_cpp($0); next }

END                             { check_end() }

# ---------------------------------------------------------------- reading

function begin_cpp_header() {
  check_end()
  begin_header()
  declaration = group = ""
  n_braces = n_scopes = 0
}

function check_end() {
  if (n_scopes > 0 || declaration != "")
    warn("it ends within " qualified(declaration))
}

function read_cpp(line) {
  if (in_comment)
    add_cpp_comment(line)
  else if (declaration != "")
    add_declaration(line)
  else if (line ~ /^ *\/\*/)
    begin_comment(line)
  else if (line ~ /^ *$/)
    end_group()
  else if (line ~ /^namespace .*\{$/ || line ~ /^ *(class|struct) [^;]*\{$/)
    enter(line)
  else if (line ~ /^ *(public|protected|private):$/)
    set_access(line)
  else if (line ~ /^ *\};?( \/\/ .*)?$/)
    leave()
  else if (line !~ /^#/ && line !~ /^ *(class|struct) [A-Za-z]+;$/)
    add_declaration(line)
}

function begin_comment(line) {
  end_group()
  in_comment = 1
  comment = ""
  add_cpp_comment(line)
}

# As if it stood at the margin; of what is not public only the header's own is taken.
function add_cpp_comment(line) {
  sub(/^ +\*/, " *", line)
  sub(/^ +\//, "/", line)
  if (is_public() || header_is_new)
    add_comment(line)
  else
    in_comment = line !~ /\*\/ *$/
}

# ----------------------------------------------------------------- scopes

function enter(line,    name, is_class) {
  is_class = line ~ /^ *(class|struct)/
  name = line
  sub(/^ *(namespace|class|struct) /, "", name)
  sub(/ .*/, "", name)
  if (is_class && is_public())
    put_class(line, name)
  end_group()
  scope_name[++n_scopes] = name
  scope_is_class[n_scopes] = is_class
  if (is_class)
    scope_is_public[n_scopes] = line ~ /^ *struct/
  else
    scope_is_public[n_scopes] = n_scopes == 1 ? name == "cenote" : name != "detail"
}

function leave() {
  end_group()
  n_scopes--
}

function set_access(line) {
  end_group()
  scope_is_public[n_scopes] = line ~ /public:/
}

# Whether what comes now is for programs.
function is_public(    i) {
  for (i = 1; i <= n_scopes; i++)
    if (!scope_is_public[i])
      return 0
  return n_scopes > 0
}

# "cenote::Pool::get"
function qualified(name,    i, out) {
  for (i = 1; i <= n_scopes; i++)
    out = out scope_name[i] "::"
  return out name
}

# ----------------------------------------------------------- declarations

# It is whole where its braces are closed.
function add_declaration(line) {
  declaration = declaration line "\n"
  n_braces += gsub(/\{/, "{", line) - gsub(/\}/, "}", line)
  if (n_braces > 0 || line !~ /[;}]$/)
    return
  if (is_public())
    take_declaration(at_margin(head(declaration)))
  declaration = ""
}

# TEXT without a function's body, and without what a constructor begins with.
function head(text) {
  if (text !~ /\}\n$/)
    return text
  sub(/[ \n]*\{.*/, "", text)
  if (match(text, /\)( const| noexcept)*[ \n]+: /)) {
    text = substr(text, 1, RSTART + RLENGTH - 1)
    sub(/[ \n]+: $/, "", text)
  }
  return text ";\n"
}

function at_margin(text,    margin) {
  match(text, /^ */)
  margin = substr(text, 1, RLENGTH)
  gsub("\n" margin, "\n", text)
  return substr(text, RLENGTH + 1)
}

function take_declaration(text,    name) {
  name = declared_name(text)
  if (name ~ /::/)
    return                      # it is declared in its class
  if (doc == "" && !is_said_by_class(name, text))
    warn(qualified(name) ": no comment on it")
  group = group text
}

function declared_name(text) {
  while (gsub(/<[^<>]*>/, "", text))
    ;
  if (match(text, /operator[^;(]* \(/) || match(text, /[A-Za-z_:~]+ \(/))
    return substr(text, RSTART, RLENGTH - 2)
  match(text, /[A-Za-z_]+( = .*|\{.*)?;\n$/)
  text = substr(text, RSTART)
  sub(/[^A-Za-z_].*/, "", text)
  return text
}

function is_said_by_class(name, text,    class) {
  class = scope_is_class[n_scopes] ? scope_name[n_scopes] : "-"
  return name == "~" class || name == "operator=" ||
         (name == class && text ~ "\\((const " class " &[a-z]*|" class " &&[a-z]*|)\\)")
}

# ---------------------------------------------------------------- writing

function put_class(line, name) {
  if (doc == "")
    warn(qualified(name) ": no comment on it")
  sub(/^ +/, "", line)
  sub(/ \{$/, ";\n", line)
  sub(name, qualified(name), line)
  put_item(name, doc, line)
  doc = ""
}

function end_group() {
  put_item("", doc, group)
  doc = group = ""
}
