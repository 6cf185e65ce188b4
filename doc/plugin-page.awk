# SPDX-License-Identifier: Apache-2.0
# A plugin's manual page, from its section in cenote.conf(5), whose options are those of the
# plugin's table (tests/unit/test-manual.cc), and from its source, which has its summary:
#
#   awk -v kind=backoff -v name=constant -f plugin-page.awk cenote.conf.5 plugins/backoff/constant.c

BEGIN {
  headings["BACKOFFS"] = "backoff"
  headings["CONNECTORS"] = "connector"
  headings["PICKERS"] = "picker"
  headings["TRANSPORTS"] = "transport"
  headings["TELEMETRY SINKS"] = "telemetry"
}

/^\.SH /                        { here = 0; kind_here = headings[substr ($0, 5)]; next }
/^\.SS /                        { here = kind_here == kind && unescaped(substr ($0, 5)) == name; found += here; next }
here && /^\.\\" BEGIN /         { in_table = 1; next }
here && /^\.\\" END /           { in_table = 0; next }
here && in_table                { options = options $0 "\n"; note_default($0); next }
here && $0 != "It has no options." { text[++n_lines] = $0 }
/^ *\.summary = "/              { summary = quoted($0) }

END {
  if (found != 1 || summary == "") {
    print "plugin-page: " kind " " name ": cenote.conf(5) has no section, or the source no summary" >"/dev/stderr"
    exit 1
  }
  print_page()
}

function unescaped(roff) {
  gsub(/\\-/, "-", roff)
  return roff
}

function escaped(plain) {
  gsub(/-/, "\\-", plain)
  return plain
}

# What stands between the first quotation mark of LINE and its last.
function quoted(line) {
  sub(/^[^"]*"/, "", line)
  sub(/"[^"]*$/, "", line)
  return line
}

# A row's head, "\fBdelay\fR (duration, 1ms to 24h; default 1s)": the synopsis has its default.
function note_default(line,    option) {
  if (line !~ /^\\fB.*; default [^ ]*\)$/ || line ~ /; default empty\)$/)
    return
  option = substr(line, 4)
  sub(/\\fR.*/, "", option)
  sub(/\)$/, "", line)
  sub(/.*; default /, "", line)
  defaults = defaults option "=" line "\n"
}

# The lines of the section, without a paragraph's beginning at its end, where the options stood.
function description(    i, out) {
  while (n_lines > 0 && text[n_lines] == ".PP")
    n_lines--
  for (i = 1; i <= n_lines; i++)
    if (text[i] != ".PP" || (i > 1 && text[i - 1] != ".PP"))
      out = out text[i] "\n"
  return out
}

function synopsis(    user) {
  user = kind == "telemetry" ? "[cenote]\ntelemetry=" escaped(name) "\n\n[pool:users]\nprofile=local\n" \
                             : "[pool:users]\nprofile=local\n" kind "=" escaped(name) "\n"
  return user (defaults != "" ? "\n[" kind ":" escaped(name) "]\n" defaults : "")
}

function print_page(    page) {
  page = "cenote-" kind "-" name
  printf ".\\\" SPDX-License-Identifier: Apache-2.0\n"
  printf ".\\\" Made of cenote.conf(5) by doc/plugin-page.awk.\n"
  printf ".TH %s 7 \"\" \"Cenote\" \"Cenote's plugins\"\n", toupper(escaped(page))
  printf ".SH NAME\n%s \\- %s\n", escaped(page), escaped(summary)
  printf ".SH SYNOPSIS\n.nf\n%s.fi\n", synopsis()
  printf ".SH DESCRIPTION\n%s", description()
  printf ".SH OPTIONS\n%s", options != "" ? options : "It has no options.\n"
  printf ".SH SEE ALSO\n.BR cenote.conf (5),\n.BR cenote\\-plugin (7),\n.BR cenote (1)\n"
}
