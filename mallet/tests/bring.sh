#!/bin/sh
# SPDX-License-Identifier: MIT
# Subjects that are no drop-in shared objects: a source, an object, an archive, a prefix, a function
# that sets up.
#
# usage: bring.sh MALLET [FOLDER of the mutants]; the words are in common.sh
set -u
. "$(dirname "$0")/common.sh"
traces=$(cd "$(dirname "$0")/../../corpus/seeds" && pwd)
cd "$work" || exit 1

# Correct, of two functions: what was taken last can be given back. Without my_setup every request
# fails.
cat >my.c <<'END'
#include <errno.h>
#include <stddef.h>
#define BYTES ((size_t)8 << 20)
static _Alignas(16) char pool[BYTES];
static char *base;
static size_t used;
void my_setup(void) { base = pool; }
void *my_malloc(size_t size)
{
    size_t whole = (size + 31) / 16 * 16;
    if (base == NULL || size > BYTES || whole > BYTES - used) {
        errno = ENOMEM;
        return NULL;
    }
    char *block = base + used + 16;
    ((size_t *)block)[-2] = whole;
    used += whole;
    return block;
}
void my_free(void *block)
{
    if (block != NULL && (char *)block - 16 + ((size_t *)block)[-2] == base + used)
        used -= ((size_t *)block)[-2];
}
END
sed 's/my_//g' my.c >plain.c
echo 'int x = ;' >wrong.c
cc -fPIC -c my.c

refused 'nothing.c: No such file or directory' replay nothing.c "$traces"
refused 'cannot build .*wrong.c: cc: .*wrong.c:1:9: error: ' replay wrong.c "$traces"
refused '--prefix: .*my.c does not define os_malloc; it defines my_free my_malloc my_setup' \
    replay --prefix os_ my.c "$traces"
refused '--init: .*my.c does not define begin; it defines my' \
    replay --prefix my_ --init begin my.c "$traces"
sed 's/^static char \*base/const char mallet_subject_lacks[] = "errno"; &/' my.c >lacking.c
refused '--lacks: .*lacking.c says so itself, in its mallet_subject_lacks' replay --prefix my_ --lacks threads lacking.c "$traces"
refused 'cannot build .*my.c: cc: .*multiple definition of .my_setup' replay --cflags my.o my.c "$traces"
refused 'cannot build .*my.c: cc: .*--nonsense' replay --cflags=--nonsense my.c "$traces"

if [ -n "$foreign" ]; then
    both='--prefix my_ --init my_setup'
    ar rcs libmy.a my.o
    cc -shared -o libmine.so my.o
    for subject in my.c my.o libmy.a ./libmine.so; do
        # shellcheck disable=SC2086 # words
        ends 0 replay --rounds 0 $both "$subject" "$traces/sizes-zero.trace"
    done
    # It would call itself.
    printf 'void *malloc(unsigned long);\nvoid *my_malloc(unsigned long n) { return malloc(n); }\nvoid my_free(void *p) { (void)p; }\n' >over.c
    refused '--prefix: .*over.c calls malloc, which is to be its own my_malloc here' replay --prefix my_ over.c "$traces/sizes-zero.trace"
    holds 'the names of what there is, and no others' sh -c 'nm -D --defined-only "$1" | grep -q " T malloc$" && ! nm -D --defined-only "$1" | grep -q calloc' - mallet-report/built/my.so
    ends 0 replay --rounds 0 --init setup plain.c "$traces/sizes-zero.trace"
    for subject in my.c ./libmine.so; do
        refused 'it does not define malloc (--prefix or --declare says' replay "$subject" "$traces"
    done
    # A program calls what the subject has: a block of the libc's is no evidence.
    sed 's/+ 16;$/+ 24;/' plain.c >off.c
    printf '#0 = calloc 1 8\n#1 = malloc 64\n' >partial.trace
    ends 1 replay --json --rounds 0 --init setup off.c partial.trace
    printed 'malloc(64'
    holds 'its program without calloc' sh -c '! grep -q "calloc(" "$1"' - "$work/out"
    refused "my.so serves nothing: malloc(16) returns NULL in a new process" replay --rounds 0 --prefix my_ my.c "$traces/sizes-zero.trace"
fi

finish
