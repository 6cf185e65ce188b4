# SPDX-License-Identifier: Apache-2.0
# The API reference, from the public headers in the order that they are given in:
#
#   awk -v form=html -f reference.awk HEADER...     the whole of it, one page of HTML
#   awk -v form=list -f reference.awk HEADER...     roff: each function of the library with its sentence
#
# With -f reference-cpp.awk before it the headers may be C++'s too.
#
# A header is a row of comments and of the code that follows each.  A comment that opens with
# two stars is one on a name: "name:", its "@parameter: text", and text with what it "Returns:"
# and so on.  Of what is CENOTE_API each such line has to be there: what is missing is told on
# the standard error, and then the exit status is 1.

FNR == 1                        { begin_header() }
in_comment                      { add_comment($0); next }
/^\/\*/                         { end_code(); in_comment = 1; comment = ""; add_comment($0); next }
/^#(ifndef|define) CENOTE_[A-Z_]*_?H$/ || /^#include/ || /^G_(BEGIN|END)_DECLS/ { next }
/^#ifdef __cplusplus/           { skipping = 1 }
skipping                        { if (/^#endif/) skipping = 0; next }
/^ *$/ && depth == 0            { end_code(); next }
                                { code = code $0 "\n"; depth += gsub(/\{/, "{") - gsub(/\}/, "}") }

END {
  end_code()
  if (form == "html")
    print_html_end()
  exit n_warnings > 0
}

# ---------------------------------------------------------------- reading

function begin_header() {
  end_code()
  header = FILENAME
  sub(/.*\//, "", header)
  doc = subject = ""
  depth = 0
  header_is_new = 1
}

function warn(text) {
  print "reference: <cenote/" header ">: " text >"/dev/stderr"
  n_warnings++
}

function add_comment(line) {
  comment = comment line "\n"
  if (line !~ /\*\/ *$/)
    return
  in_comment = 0
  take_comment(comment)
}

# What a comment says, without its stars.
function bare(text) {
  sub(/^\/\*\*?[ \n]/, "", text)
  sub(/ *\*\/ *\n$/, "", text)
  gsub(/(^|\n) \*( |$)/, "\n", text)
  gsub(/\n \*\n/, "\n\n", text)
  gsub(/\n \*\n/, "\n\n", text)
  sub(/^\n+/, "", text)
  return text
}

function take_comment(text,    is_on_name) {
  is_on_name = text ~ /^\/\*\*/
  text = bare(text)
  if (text ~ /^SPDX-/)
    return
  if (text ~ /^-+ [a-z ]+$/) {
    sub(/^-+ /, "", text)
    put_heading(text)
    return
  }
  doc = text
  subject = ""
  if (is_on_name) {
    subject = text
    sub(/:.*/, "", subject)
    sub(/^[^:]*:[ \n]*/, "", doc)
  }
  if (header_is_new && !is_on_name) {
    put_header(doc)
    doc = ""
  }
}

# A stretch of code ends: it is what the comment before it is on.
function end_code() {
  if (code == "" && doc == "")
    return
  read_functions(code)
  put_item(subject, doc, shown(code))
  code = doc = subject = ""
}

# What is shown of CODE: of a function that is defined here its head.
function shown(text,    at) {
  if (text !~ /(^|\n)static inline/)
    return text
  at = match(text, /\n\{/)
  return at > 0 ? substr(text, 1, at - 1) ";\n" : text
}

# The functions of the library that TEXT declares, of which the first is SUBJECT's.
function read_functions(text,    parts, n, i, name) {
  n = split(text, parts, ";")
  for (i = 1; i <= n; i++)
    if (parts[i] ~ /(^|\n)CENOTE_API /) {
      name = parts[i]
      sub(/.*CENOTE_API/, "", name)
      match(name, /cenote_[a-z0-9_]+ \(/)
      name = substr(name, RSTART, RLENGTH - 2)
      check_function(name, parts[i])
      put_function(name)
    }
}

function check_function(name, prototype) {
  if (subject != name) {
    warn(name ": no comment on it")
    return
  }
  if (prototype !~ /CENOTE_API void /)
    need(name, "Returns")
  need(name, "Errors")
  need(name, "Threads")
  need(name, "Blocks")
  need(name, "Since")
  check_parameters(name, prototype)
}

function need(name, word) {
  if (doc !~ "(^|[ \n])" word ": ")
    warn(name ": it has no \"" word ":\"")
}

function check_parameters(name, prototype,    lines, n, i, parameter) {
  n = split(doc, lines, "\n")
  for (i = 1; i <= n; i++)
    if (lines[i] ~ /^@[a-z_]+:/) {
      parameter = substr(lines[i], 2)
      sub(/:.*/, "", parameter)
      if (prototype !~ "[ *]" parameter "[,)]")
        warn(name ": it has no parameter " parameter)
    }
}

# What TEXT says but of parameters, in one line.
function prose(text,    lines, n, i, out, in_parameter) {
  n = split(text, lines, "\n")
  for (i = 1; i <= n; i++) {
    in_parameter = lines[i] ~ /^@[a-z_]+:/ || (in_parameter && lines[i] ~ /^ /)
    if (!in_parameter)
      out = out " " lines[i]
  }
  gsub(/  +/, " ", out)
  sub(/^ /, "", out)
  return out
}

# The first sentence of what is said of a function: of its text, or else of what it returns.
function sentence(text) {
  text = prose(text)
  if (match(text, /^Returns:( \([a-z ]+\))*:? */))
    text = "Returns " substr(text, RLENGTH + 1)
  if (match(text, / (Errors|Returns):/))
    text = substr(text, 1, RSTART - 1)
  if (match(text, /[.;]( |$)/))
    text = substr(text, 1, RSTART - 1)
  sub(/^@/, "", text)
  return toupper(substr(text, 1, 1)) substr(text, 2) "."
}

# ---------------------------------------------------------------- writing

function put_header(text) {
  header_is_new = 0
  if (form == "list")
    return
  if (!html_begun++)
    print_html_begin()
  printf "<h1>&lt;cenote/%s&gt;</h1>\n%s", header, html_text(text)
}

function put_heading(text) {
  if (form == "html")
    printf "<h2>%s</h2>\n", html(text)
}

function put_item(name, text, source) {
  if (form != "html" || text source == "" || source == "#endif\n")
    return
  print "<section>"
  if (source != "")
    printf "<pre>%s</pre>\n", html(source)
  printf "%s</section>\n", html_text(text)
}

function put_function(name) {
  if (form != "list")
    return
  if (header != list_header) {
    printf ".SS <cenote/%s>\n", header
    list_header = header
  }
  printf ".TP\n.BR %s ()\n%s\n", name, roff(sentence(doc))
}

function roff(text) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  gsub(/[@`]/, "", text)
  return text
}

function html(text) {
  gsub(/&/, "\\&amp;", text)
  gsub(/</, "\\&lt;", text)
  gsub(/>/, "\\&gt;", text)
  return text
}

# Each parameter, and each line that says one thing, is a paragraph of its own.
function html_text(text,    paragraphs, n, i, out) {
  n = split(text, paragraphs, "\n")
  text = ""
  for (i = 1; i <= n; i++)
    text = text (paragraphs[i] ~ /^(@[a-z_]+|@CENOTE_[A-Z_]+|Returns|Errors|Threads|Blocks):/ ? "\n\n" : "\n") paragraphs[i]
  sub(/^\n+/, "", text)
  n = split(text, paragraphs, /\n\n+/)
  for (i = 1; i <= n; i++)
    out = out (paragraphs[i] ~ /(^|\n)   / ? html_block(paragraphs[i]) : html_paragraph(paragraphs[i]))
  return out
}

function html_block(text) {
  return "<pre class=\"text\">" html(text) "</pre>\n"
}

function html_paragraph(text) {
  text = html(text)
  gsub(/`[^`]+`/, "<code>&</code>", text)
  gsub(/`/, "", text)
  gsub(/@[A-Za-z_]+/, "<var>&</var>", text)
  gsub(/<var>@/, "<var>", text)
  gsub(/(Returns|Errors|Threads|Blocks|Since):/, "<b>&</b>", text)
  return "<p>" text "</p>\n"
}

function print_html_begin() {
  print "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Cenote: API reference</title>"
  print "<style>"
  print "body { max-width: 60em; margin: 2em auto; padding: 0 1em; font-family: sans-serif; line-height: 1.4 }"
  print "pre { padding: .6em; overflow-x: auto; background: #f2f2f2 }"
  print "section { margin: 1.5em 0; border-left: .2em solid #ddd; padding-left: 1em }"
  print "@media (prefers-color-scheme: dark) { body { background: #111; color: #ddd } pre { background: #222 } section { border-color: #444 } }"
  print "</style>"
}

function print_html_end() {
  print "</html>"
}
