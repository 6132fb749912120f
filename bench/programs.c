/* SPDX-License-Identifier: MIT */
/*
 * The programs are named by their path: what comes first on PATH may be a script that starts
 * something else. They read only what is written here.
 */
#include "bench/programs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* success: the exit status of a run that did its work. */
#define PROGRAM(program_name, text, success, ...)                                               \
    {                                                                                           \
        .name = program_name, .group = "programs", .does = text, .count = 1, .status = success, \
        .arguments = {                                                                          \
            __VA_ARGS__,                                                                        \
            NULL                                                                                \
        }                                                                                       \
    }

static const char python_script[] =
    "import json, re\n"
    "words = {}\n"
    "for i in range(60000):\n"
    "    words.setdefault('word%d' % (i * 7919 % 5003), []).append(i)\n"
    "text = json.dumps(words)\n"
    "again = json.loads(text)\n"
    "objects = [dict(a=i, b=str(i), c=[i] * 3) for i in range(40000)]\n"
    "objects.sort(key=lambda o: o['b'])\n"
    "assert len(again) == 5003 and len(re.findall('9', text)) > 0\n";

static const char perl_script[] =
    "my %words; for my $i (1..80000) { push @{$words{'w' . ($i * 7919 % 5003)}}, \"value $i\"; }"
    "my $text = join ',', map { \"$_=@{$words{$_}}\" } sort keys %words;"
    "my @parts = split /,/, $text; die unless @parts == 5003;";

static const char sql_script[] =
    "create table t(id integer primary key, a text, b real);"
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000)"
    " insert into t select i, 'name ' || (i * 7919 % 5003), i / 3.0 from n;"
    "create index t_a on t(a);"
    "select count(*) from (select a, sum(b), group_concat(id) from t group by a order by 2);"
    "select count(*) from t x join t y on x.a = y.a where x.id < 3000;";

static const char lua_script[] =
    "local t = {} for i = 1, 200000 do t[i] = {name = 'n' .. (i * 7919 % 5003), id = i} end "
    "table.sort(t, function(x, y) return x.id * 7 % 1009 < y.id * 7 % 1009 end) "
    "local s = {} for i = 1, 100000 do s[#s + 1] = t[i].name end "
    "assert(#table.concat(s, ',') > 100000)";

static const char gs_script[] =
    "/d 20000 dict def 0 1 19999 { dup 20 string cvs cvn exch 10 array d 3 1 roll put } for "
    "1 1 60000 { 40 string pop 5 array pop } for quit";

static const struct bench_workload programs[] = {
    PROGRAM("python3", "dictionaries, JSON, sorting", 0, "/usr/bin/python3", "-I", "-S", "-c",
            python_script),
    PROGRAM("perl", "hashes, strings, sorting", 0, "/usr/bin/perl", "-e", perl_script),
    PROGRAM("sqlite3", "a table in memory: index, groups, join", 0, "/usr/bin/sqlite3",
            ":memory:", sql_script),
    PROGRAM("gcc", "compiles 60 functions at -O1", 0, "/usr/bin/gcc", "-O1", "-c", "-o", "gcc.o",
            "functions.c"),
    PROGRAM("clang", "compiles 60 functions at -O1", 0, "/usr/bin/clang", "-O1", "-c", "-o",
            "clang.o", "functions.c"),
    PROGRAM("git", "difference of two files of 20000 lines", 1, "/usr/bin/git", "diff",
            "--no-index", "--minimal", "--output=diff", "left.txt", "right.txt"),
    PROGRAM("lua", "tables, strings, sorting", 0, "/usr/bin/lua5.4", "-e", lua_script),
    PROGRAM("gs", "dictionaries and arrays in PostScript", 0, "/usr/bin/gs", "-q", "-dNODISPLAY",
            "-dBATCH", "-dNOPAUSE", "-c", gs_script),
};
enum { PROGRAM_COUNT = sizeof programs / sizeof programs[0], FUNCTIONS = 60, LINES = 20000 };

const struct bench_workload *bench_program_at(size_t i)
{
    static struct bench_workload found[PROGRAM_COUNT];
    if (i >= PROGRAM_COUNT)
        return NULL;
    found[i] = programs[i];
    if (access(found[i].arguments[0], X_OK) != 0)
        snprintf(found[i].skipped, sizeof found[i].skipped, "no %s on this machine",
                 found[i].arguments[0]);
    return &found[i];
}

static void write_functions(FILE *file)
{
    fprintf(file, "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n");
    for (unsigned i = 0; i < FUNCTIONS; i++)
        fprintf(file,
                "struct s%u { int a[%u]; struct s%u *next; };\n"
                "int f%u(struct s%u *s, int n)\n{\n    int sum = %u;\n"
                "    for (int i = 0; i < n; i++) {\n        sum += s->a[i %% %u] * i;\n"
                "        if (sum > 1000) s = s->next;\n"
                "        switch (sum %% 5) { case 0: sum ^= n; break; case 1: sum -= i; break;\n"
                "        default: printf(\"%%d %%s\\n\", sum, \"text %u\"); }\n    }\n"
                "    return sum;\n}\n",
                i, i % 7 + 2, i, i, i, i, i % 7 + 2, i);
}

/* Every fifth line differs between the two. */
static void write_lines(FILE *file, unsigned side)
{
    for (unsigned i = 0; i < LINES; i++)
        fprintf(file, "line %u of %u\n", i * 7919 % 5003, i % 5 == 0 ? side : 2);
}

int bench_write_inputs(const char *folder)
{
    static const char *const names[] = {"functions.c", "left.txt", "right.txt"};
    for (unsigned i = 0; i < 3; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%.3800s/%s", folder, names[i]);
        FILE *file = fopen(path, "we");
        if (file == NULL)
            return errno;
        if (i == 0)
            write_functions(file);
        else
            write_lines(file, i - 1);
        if (fclose(file) != 0)
            return errno;
    }
    return 0;
}
