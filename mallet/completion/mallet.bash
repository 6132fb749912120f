# SPDX-License-Identifier: MIT
# Completion for bash. Commands and options are those of `mallet --help` and `mallet COMMAND --help`,
# subjects those that `mallet list` finds: nothing is written down a second time.

_mallet_commands() {
    "$1" --help 2>/dev/null | sed -n 's/^  \([a-z]*\)  .*/\1/p'
}

# Of one command, whose help is on standard input: the column of options.
_mallet_options() {
    grep -oE '^ {2,6}(-., )?--[a-z-]+(=[^ ]*, --[a-z-]+)?' | grep -oE -- '--[a-z-]+'
}

_mallet_subjects() {
    [ -n "${_mallet_found:-}" ] || _mallet_found=$("$1" list 2>/dev/null | sed -n 's/^\([^ ]*\) (.*/\1/p')
    printf '%s\n' "$_mallet_found"
}

_mallet() {
    local mallet=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} help words=''
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_mallet_commands "$mallet") --help --version" -- "$word")
        return
    fi
    help=$("$mallet" "${COMP_WORDS[1]}" --help 2>/dev/null)
    if [[ $word == -* ]]; then
        words=$(_mallet_options <<<"$help")
    elif [[ $help == *SUBJECT* && ! $help =~ [[:space:]]$before(=|, --) ]]; then # not the value of an option
        words=$(_mallet_subjects "$mallet")
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word"; [[ $word == -* ]] || compgen -f -- "$word")
}
complete -o filenames -F _mallet mallet
