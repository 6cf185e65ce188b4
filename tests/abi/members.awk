# SPDX-License-Identifier: Apache-2.0
# The members of the public structs in headers, in their order: STRUCT, MEMBER, DECLARATION, by tabs; and of enums:
# "enum", CONSTANT; and of types of functions: "typedef", NAME, DECLARATION.  For headers that are formatted as ours are: no struct within a struct, one member a declaration.

function without_comments(text,   out, at)
{
  while ((at = index (text, "/*")) > 0) {
    out = out substr (text, 1, at - 1) " "
    text = substr (text, at + 2)
    at = index (text, "*/")
    text = substr (text, at + 2)
  }
  return out text
}

function name_of(declaration)
{
  if (match (declaration, /\(\*[a-z_0-9]+\)/))
    return substr (declaration, RSTART + 2, RLENGTH - 3)
  sub (/\[[^]]*\]$/, "", declaration)
  match (declaration, /[A-Za-z_0-9]+$/)
  return substr (declaration, RSTART)
}

function tell_struct(name, body,   parts, n, i)
{
  n = split (body, parts, ";")
  for (i = 1; i < n; i++) {
    gsub (/^ +| +$/, "", parts[i])
    print name "\t" name_of (parts[i]) "\t" parts[i]
  }
}

function tell_enum(body,   parts, n, i)
{
  n = split (body, parts, ",")
  for (i = 1; i <= n; i++) {
    sub (/=.*/, "", parts[i])
    gsub (/ /, "", parts[i])
    if (parts[i] != "")
      print "enum\t" parts[i]
  }
}

/^#/ { continues = /\\$/; next }
continues { continues = /\\$/; next }
{ text = text $0 " " }

END {
  text = without_comments (text)
  gsub (/[ \t]+/, " ", text)
  rest = text
  while (match (rest, /typedef [^;{}]*\(\*Cenote[A-Za-z]+\) \([^;]*\);/)) {
    found = substr (rest, RSTART, RLENGTH - 1)
    rest = substr (rest, RSTART + RLENGTH)
    match (found, /\(\*Cenote[A-Za-z]+\)/)
    print "typedef\t" substr (found, RSTART + 2, RLENGTH - 3) "\t" found
  }
  while (match (text, /(struct [A-Za-z]+|enum) \{[^}]*\}/)) {
    found = substr (text, RSTART, RLENGTH)
    text = substr (text, RSTART + RLENGTH)
    open = index (found, "{")
    body = substr (found, open + 1, length (found) - open - 1)
    if (found ~ /^enum/)
      tell_enum(body)
    else
      tell_struct(substr (found, 8, open - 9), body)
  }
}
