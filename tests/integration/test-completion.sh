#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# bash completion offers every command, and of each every option, that `cenote help` has, and nothing
# else; and keyfiles, their pools, kinds and plugins where a command takes them.

. "${abs_top_srcdir:?}/tests/integration/command.sh"
mkdir -p "$scratch/bin" "$scratch/place/folder"
ln -s "$CENOTE" "$scratch/bin/cenote"
PATH=$scratch/bin:$PATH
. "$abs_top_srcdir/tools/bash-completion/cenote"
cd "$scratch/place" || exit 1
touch users.conf users.txt plugin.so
printf '[pool:users]\nprofile=local\n[pool:orders]\nprofile=local\n' >users.conf

# offers LINE: what a tab after LINE offers, a line each.  As readline does, '=' is a word.
offers ()
{
  local line=${1//=/ = }
  read -r -a COMP_WORDS <<<"$line"
  [[ $line != *' ' || $1 == *= ]] || COMP_WORDS+=('')
  COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
  _cenote
  printf '%s\n' "${COMPREPLY[@]}" | sed '/^$/d' | sort
}

# is_offered LINE WORD...: these and no others.
is_offered ()
{
  diff <(printf '%s\n' "${@:2}" | sed '/^$/d' | sort) <(offers "$1")
}

commands_of_help ()
{
  cenote help | awk '/^  [a-z]/ { print $1 }'
}

# From its help, by another way than the completion's.
options_of_help ()
{
  cenote help "$1" | grep -oE '^  (-., )?--[a-z-]+=?' | grep -oE -- '--[a-z-]+=?'
}

offers_every_command ()
{
  mapfile -t commands < <(commands_of_help)
  [ ${#commands[@]} -gt 5 ] && is_offered 'cenote ' "${commands[@]}" --help --version
}

offers_every_option ()
{
  mapfile -t options < <(options_of_help "$1")
  [ ${#options[@]} -gt 0 ] && is_offered "cenote $1 --" "${options[@]}"
}

plugins_of_kind ()
{
  cenote plugins "$1" | awk 'NR > 1 { print $2 }'
}

is_registered ()
{
  [ "$(complete -p cenote)" = 'complete -F _cenote cenote' ]
}

case_is 'bash is told of it' is_registered
case_is 'commands are those of help' offers_every_command
for command in $(commands_of_help); do
  [ "$command" = help ] || case_is "options of $command are those of its help" offers_every_option "$command"
done
case_is 'a command is completed' is_offered 'cenote expl' explain
case_is 'help takes a command' is_offered 'cenote help adv' advise
case_is 'a keyfile' is_offered 'cenote check ' folder users.conf
case_is 'a keyfile after an option with a value' is_offered 'cenote check --set a/b=c u' users.conf
case_is 'the pools of a keyfile' is_offered 'cenote status users.conf ' orders users
case_is 'the pools after options' is_offered 'cenote status --json --wait=5s users.conf o' orders
case_is 'the pools after a short option with its value' is_offered 'cenote call -n 10 users.conf u' users
case_is 'a method is nobody'\''s to know' is_offered 'cenote call users.conf users ' ''
case_is 'a kind' is_offered 'cenote plugins p' picker
case_is 'folders for plugins' is_offered 'cenote plugins --plugin-path=' folder
case_is 'folders for plugins, after a blank' is_offered 'cenote plugins --plugin-path f' folder
case_is 'the words of an option' is_offered 'cenote call --retry=i' idempotent
case_is 'nothing for a number' is_offered 'cenote advise --rate ' ''
case_is 'nothing after the last word' is_offered 'cenote check users.conf ' ''
case_is 'nothing for a command that is none' is_offered 'cenote chekc ' ''
mapfile -t backoffs < <(plugins_of_kind backoff)
case_is 'there are backoffs' test ${#backoffs[@]} -gt 1
case_is 'a plugin to inspect' is_offered 'cenote inspect backoff/' "${backoffs[@]/#/backoff/}"
case_is 'or its file' is_offered 'cenote inspect plugin' plugin.so
case_is 'a kind for a new plugin' is_offered 'cenote new co' connector
case_is 'whose name is the author'\''s to choose' is_offered 'cenote new connector ' ''

finish
