#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Manual pages of the command and of each subcommand, made from what --help says.
# usage: man.sh MALLET FOLDER
set -euo pipefail
mallet=$1
folder=$2
version=$("$mallet" --version | head -1)
mkdir -p "$folder"
rm -f "$folder"/*.1

# page NAME SUMMARY WORD…: the manual page NAME of the command WORD….
page() {
    name=$1
    summary=$2
    shift 2
    # help2man takes the program's name for the page's; every page refers to the first
    help2man --no-info --locale C.UTF-8 --section 1 --name "$summary" --version-string "$version" --manual mallet \
        --source "$version" "$*" |
        sed -e "s/^\.TH MALLET /.TH $(echo "$name" | tr a-z A-Z) /" -e "/^\.SH NAME/{n;s/^mallet /$name /}" \
            -e '$a .SH "SEE ALSO"\n.BR mallet (1)' >"$folder/$name.1"
}

page mallet 'a test harness for malloc' "$mallet"
"$mallet" --help | sed -n 's/^  \([a-z]*\)  *\(.*\)/\1 \2/p' | while read -r name summary; do
    page "mallet-$name" "$summary" "$mallet" "$name"
done
