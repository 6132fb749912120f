/* SPDX-License-Identifier: MIT */
/*
 * C++'s deletes under the drop-in, called by the names that compilers give them. Built twice: with
 * OWN_DELETE the program has an operator delete of its own, which must get every block unchecked,
 * arrays included: its new may have got them anywhere.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void _ZdlPv(void *block);
void _ZdaPv(void *block);
void _ZdlPvm(void *block, size_t size);
void _ZdaPvm(void *block, size_t size);

#ifdef OWN_DELETE
static unsigned deleted;
static char foreign[64];

void _ZdlPv(void *block)
{
    deleted++;
    if (block != foreign)
        free(block);
}
#endif

#ifndef OWN_DELETE
/* Runs the delete in a child. Returns whether it died of SIGABRT with these words on stderr. */
static int is_refused(void (*delete)(void *, size_t), size_t asked, size_t told, const char *words)
{
    char text[200] = "";
    int ends[2], status;
    if (pipe(ends) != 0)
        return 0;
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        delete (malloc(asked), told);
        _exit(0);
    }
    close(ends[1]);
    ssize_t length = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    waitpid(child, &status, 0);
    return length > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
           strstr(text, words) != NULL;
}
#endif

static int fail(const char *what)
{
    fprintf(stderr, "sized_delete: %s\n", what);
    return 1;
}

int main(void)
{
    _ZdlPvm(malloc(72), 72);
    _ZdlPvm(malloc(300000), 300000);
    _ZdlPvm(malloc(1), 0);
    _ZdlPvm(NULL, 72);
#ifdef OWN_DELETE
    _ZdlPvm(malloc(1), 72);
    _ZdaPv(foreign);
    _ZdaPvm(foreign, 72);
    if (deleted != 7)
        return fail("the program's own delete was passed over");
#else
    if (!is_refused(_ZdlPvm, 1, 72, "operator delete(0x"))
        return fail("72 bytes deleted of a block of 1");
    if (!is_refused(_ZdlPvm, 300000, 8, "block of 300000 bytes freed with size 8"))
        return fail("8 bytes deleted of a block of 300000");
    if (!is_refused(_ZdaPvm, 80, 72, "operator delete[]("))
        return fail("an array of 72 bytes deleted of a block of 80");
#endif
    return 0;
}
