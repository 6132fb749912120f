#!/bin/sh
# SPDX-License-Identifier: MIT
# Runs one real program under libanvil.so, once for every page source and fit policy, and compares
# its output with what it prints without.
#   preload.sh LIBRARY PROGRAM THREADS_PROGRAM          exit 77: the program is not installed
set -u
library=$1 program=$2 threads=$3
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

[ "$program" = threads ] || command -v "$program" >/dev/null || { echo "$program is not installed: skipped"; exit 77; }

run_program() {
    case $program in
    threads) "$threads" ;;
    bash) bash -c 'a=(); for i in {1..3000}; do a+=("item $i"); done; echo "${#a[@]} ${a[*]:7:3}"; echo "$(echo "$(ls / | sort | head -2)")"' ;;
    python3) python3 -c '
import json, subprocess, threading
x = [{"k%d" % (i % 97): str(i) * (i % 50)} for i in range(20000)]
t = [threading.Thread(target=lambda: [bytes(n) for n in range(0, 300000, 999)]) for _ in range(4)]
[i.start() for i in t]; [i.join() for i in t]
print(len(json.dumps(x)), len(json.loads(json.dumps(x))), subprocess.check_output(["echo", "child"]))' ;;
    gcc)
        printf '#include <stdio.h>\n#include <stdlib.h>\nint main(void) { printf("%%d\\n", abs(-42)); return 0; }\n' >"$work/t.c"
        gcc -O2 -g -o "$work/t" "$work/t.c" && "$work/t" ;;
    g++)
        cat >"$work/t.cc" <<'END'
#include <cstdio>
#include <new>
#include <string>
#include <vector>
static int asked;
static void give_up() { if (++asked == 3) std::set_new_handler(nullptr); }
struct alignas(64) wide { char bytes[64]; };
int main()
{
    volatile size_t too_much = ~size_t{0} / 4;
    std::set_new_handler(give_up);
    try { delete[] new char[too_much]; } catch (const std::bad_alloc &) { std::printf("thrown, %d calls\n", asked); }
    try { ::operator delete(::operator new(too_much)); } catch (const std::bad_alloc &) { std::puts("thrown"); }
    if (new (std::nothrow) char[too_much] == nullptr) std::puts("none");
    std::vector<std::string> strings;
    for (int i = 0; i < 3000; i++) strings.push_back(std::string(i, 'x'));
    delete new wide; delete[] new wide[3]; delete[] new (std::nothrow) int[4]; delete[] new std::string[9];
    std::printf("%zu\n", strings.size());
}
END
        g++ -std=c++17 -o "$work/t" "$work/t.cc" && "$work/t" ;;
    git)
        rm -rf "$work/g" && git init -q "$work/g" && cd "$work/g" && seq 20000 >f && git add f &&
            git -c user.name=a -c user.email=a@b commit -q -m one && seq 5 20000 >f && git diff --stat && git gc -q && git log --format=%s ;;
    sqlite3)
        sqlite3 :memory: "create table t(a, b); with recursive n(i) as (select 1 union all select i+1 from n where i<20000)
            insert into t select i, hex(i*i) from n; create index x on t(b); select count(*), max(b), sum(a) from t where b > '4';" ;;
    perl) perl -e 'my %h; $h{$_ % 5000} .= "x$_" for 1..60000; print scalar(keys %h), " ", length(join "", map { $h{$_} } sort keys %h), "\n"' ;;
    *) echo "no such program: $program"; exit 1 ;;
    esac
}

expected=$(run_program 2>&1) || { echo "fails without the library: $expected"; exit 1; }
for source in mmap sbrk; do
    for fit in first next best worst; do
        actual=$(export LD_PRELOAD="$library" ANVIL_OPTIONS="source:$source,fit:$fit"; run_program 2>&1)
        status=$?
        if [ $status -ne 0 ] || [ "$actual" != "$expected" ]; then
            printf '%s with source:%s,fit:%s: status %d\nexpected: %s\nprinted:  %s\n' "$program" $source $fit $status "$expected" "$actual"
            exit 1
        fi
    done
done
echo "$program: the same output with every page source and fit policy"
