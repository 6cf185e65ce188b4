#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each plugin that was built has a manual page, and says the same of itself as that does: its
# summary and its options by name, and no others; the page's synopsis is a sound keyfile.

. "${abs_top_srcdir:?}/tests/integration/command.sh"
pages=$abs_top_builddir/doc/man

# One line "PAGE NAME" for each plugin that is found; then its options, a file each in $scratch/options.
describe_plugins ()
{
  mkdir -p "$scratch/options" "$scratch/summary"
  "$CENOTE" plugins --json | /usr/bin/python3 -c '
import json, sys
for plugin in json.load(sys.stdin)["plugins"]:
    page = "cenote-%s-%s" % (plugin["kind"], plugin["name"])
    with open(sys.argv[1] + "/options/" + page, "w") as file:
        file.writelines(option["name"] + "\n" for option in plugin["options"])
    with open(sys.argv[1] + "/summary/" + page, "w") as file:
        file.write(page + " - " + plugin["summary"] + "\n")' "$scratch"
}

plain ()
{
  sed 's/\\-/-/g' "$pages/$1.7"
}

# The lines of a section as they stand, without requests.
section ()
{
  plain "$1" | awk -v heading=".SH $2" '/^\.SH/ { here = $0 == heading; next } here && !/^\./'
}

each_plugin_has_a_page_and_no_other ()
{
  diff <(cd "$scratch/options" && ls) <(cd "$pages" && ls -- cenote-*.7 | sed 's/\.7$//')
}

says_its_summary ()
{
  diff "$scratch/summary/$1" <(section "$1" NAME)
}

says_its_options ()
{
  diff "$scratch/options/$1" <(section "$1" OPTIONS | sed -n 's/^\\fB\(.*\)\\fR (.*/\1/p')
}

# The name of a pool has no default.
synopsis_is_sound ()
{
  local extra=()
  case $1 in
    cenote-telemetry-otlp) extra=(--set telemetry:otlp/pool=users) ;;
  esac
  section "$1" SYNOPSIS >"$scratch/synopsis.conf"
  "$CENOTE" check "${extra[@]}" "$scratch/synopsis.conf"
}

case_is 'the plugins describe themselves' describe_plugins
case_is 'each plugin has a page, and each page a plugin' each_plugin_has_a_page_and_no_other
for page in $(cd "$scratch/options" && ls); do
  case_is "$page has the plugin's summary" says_its_summary "$page"
  case_is "$page has the plugin's options and no others" says_its_options "$page"
  case_is "$page has a synopsis that checks" synopsis_is_sound "$page"
done
# Of lines that are too long to break nothing is said: defaults are shown as they are written.
groff_takes ()
{
  groff -man -Kutf8 -Tutf8 -ww -Wbreak -z "$1" 2>"$scratch/warnings" && [ ! -s "$scratch/warnings" ] || { cat "$scratch/warnings"; return 1; }
}

if command -v groff >/dev/null; then
  for page in "$pages"/*.[1-9] "$abs_top_srcdir"/doc/*.[1-9]; do
    case_is "groff takes $(basename "$page") without a warning" groff_takes "$page"
  done
else
  skip 'groff takes every page without a warning' 'no groff'
fi

finish
