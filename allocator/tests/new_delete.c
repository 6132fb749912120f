/* SPDX-License-Identifier: MIT */
/*
 * C++'s new and delete under the drop-in, called by the names that compilers give them. Built
 * twice: with OWN_DELETE the program has an operator delete of its own, which must get every block
 * unchecked, arrays included: its new may have got them anywhere. Run also with the level that
 * remembers which form of new a block is from.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void *_Znwm(size_t size);
void *_Znam(size_t size);
void _ZdlPv(void *block);
void _ZdaPv(void *block);
void _ZdlPvm(void *block, size_t size);
void _ZdaPvm(void *block, size_t size);

static int fail(const char *what)
{
    fprintf(stderr, "new_delete: %s\n", what);
    return 1;
}

#ifdef OWN_DELETE

static unsigned deleted;
static char foreign[64];

void _ZdlPv(void *block)
{
    deleted++;
    if (block != foreign)
        free(block);
}

int main(void)
{
    _ZdlPvm(malloc(72), 72);
    _ZdlPvm(malloc(300000), 300000);
    _ZdlPvm(malloc(1), 0);
    _ZdlPvm(NULL, 72);
    _ZdlPvm(malloc(1), 72);
    _ZdaPv(foreign);
    _ZdaPvm(foreign, 72);
    _ZdaPv(_Znwm(72));
    return deleted == 8 ? 0 : fail("the program's own delete was passed over");
}

#else

static void delete_72(void *block)
{
    _ZdlPvm(block, 72);
}

static void delete_array_72(void *block)
{
    _ZdaPvm(block, 72);
}

/* Runs the delete in a child. Returns whether it died of SIGABRT with these words on stderr. Frees
 * the block. */
static bool is_refused(void (*delete)(void *), void *block, const char *words)
{
    char text[200] = "";
    int ends[2], status;
    if (pipe(ends) != 0)
        abort();
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        delete (block);
        _exit(0);
    }
    close(ends[1]);
    ssize_t length = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    waitpid(child, &status, 0);
    free(block);
    return length > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
           strstr(text, words) != NULL;
}

static int check_sizes(void)
{
    delete_72(_Znwm(72));
    delete_array_72(_Znam(72));
    _ZdlPvm(malloc(300000), 300000);
    _ZdlPvm(_Znwm(0), 0);
    _ZdlPvm(NULL, 72);
    if (!is_refused(delete_72, malloc(1), "operator delete(0x"))
        return fail("72 bytes deleted of a block of 1");
    if (!is_refused(delete_72, malloc(300000), "block of 300000 bytes freed with size 72"))
        return fail("72 bytes deleted of a block of 300000");
    if (!is_refused(delete_array_72, malloc(80), "operator delete[]("))
        return fail("an array of 72 bytes deleted of a block of 80");
    return 0;
}

/* What new made may go to free, and what malloc made to any delete. */
static void mix_with_malloc(size_t size)
{
    memset(_Znwm(size), 1, size);
    _ZdlPv(_Znwm(size));
    _ZdaPv(_Znam(size));
    _ZdlPv(malloc(size));
    _ZdaPv(malloc(size));
    free(_Znwm(size));
    free(_Znam(size));
    free(realloc(_Znam(size), size + 1));
}

static int check_forms(size_t size, bool is_remembered)
{
    char array[100], single[100];
    snprintf(array, sizeof array, "block of %zu bytes from new[], which delete does not", size);
    snprintf(single, sizeof single, "block of %zu bytes from new, which delete[] does not", size);
    mix_with_malloc(size);
    if (is_refused(_ZdlPv, _Znam(size), array) != is_remembered)
        return fail("new[] and delete");
    if (is_refused(_ZdaPv, _Znwm(size), single) != is_remembered)
        return fail("new and delete[]");
    if (is_refused(delete_72, _Znam(72), "bytes from new[], which delete does") != is_remembered)
        return fail("new[] and sized delete");
    if (is_refused(delete_array_72, _Znwm(72), "bytes from new, which delete[]") != is_remembered)
        return fail("new and sized delete[]");
    return 0;
}

int main(void)
{
    static const size_t sizes[] = {1, 72, 40000, 300000, 3 << 20};
    const char *options = getenv("ANVIL_OPTIONS");
    bool is_remembered = options != NULL;
    int result = check_sizes();
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0] && result == 0; i++)
        result = check_forms(sizes[i], is_remembered);
    if (result == 0 && _Znwm(SIZE_MAX / 2) != NULL) /* no C++ library here throws */
        result = fail("half of the address space");
    return result;
}

#endif
