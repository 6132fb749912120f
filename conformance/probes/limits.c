/* SPDX-License-Identifier: MIT */
/* Resource limits: requests beyond a limit fail with the right errno, and the process can go on. */
#include "conformance/testlib.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* Each block of a pile holds the address of the one below. */
static void *pile;

/* No pile may grow over this: what a subject reserved before the limit was set does not count
 * against it. */
#define LARGE_MOST 16384

#define SMALL_MOST 1500000

/* Allocates until a call returns NULL, or `most` blocks; returns how many, and what errno the last
 * call left. */
static size_t pile_up(const struct allocating_call *by, size_t size, size_t most, int *ret_errno)
{
    size_t count = 0;
    for (; count < most; count++) {
        CATCH_ERRNO(error, void *block = take_from(by, size));
        *ret_errno = error;
        if (block == NULL)
            break;
        ((char *)block)[size - 1] = 1;
        memcpy(block, &pile, sizeof pile);
        pile = block;
    }
    return count;
}

static void release_pile(void)
{
    while (pile != NULL) {
        void *top = pile;
        memcpy(&pile, top, sizeof pile);
        free(top);
    }
}

PROCESS_PROBE(no_space_is_a_null_pointer, "C23-7.24.3-p1-j")
{
    int ignored;
    if (!limit_memory(64 * MIB))
        return UNSUPPORTED("RLIMIT_AS could not be lowered");
    EXPECT_REFUSALS();
    FOR_EACH_CALL(by)
    {
        size_t count = pile_up(by, MIB, LARGE_MOST, &ignored);
        if (count == LARGE_MOST)
            return UNSUPPORTED("%s: the subject had reserved more than %d MiB before the limit",
                               name_taking(by, MIB), LARGE_MOST);
        release_pile();
    }
    pile_up(&by_malloc, MIB, LARGE_MOST, &ignored);
    for (size_t size = 16; size <= 256 * MIB; size *= 4)
        FOR_EACH_CALL(by)
    free(take_from(by, size));
    return PASS;
}

static enum probe_outcome exceed(const char *limit)
{
    int large_errno = 0, small_errno = 0;
    EXPECT_REFUSALS();
    size_t large = pile_up(&by_malloc, MIB, LARGE_MOST, &large_errno);
    if (large == LARGE_MOST)
        return UNSUPPORTED(
            "malloc(1048576): the subject had reserved more than %d MiB before the limit",
            LARGE_MOST);
    EXPECT(large_errno == ENOMEM,
           "malloc(1048576) over %s, after %zu blocks: expected NULL with errno %d, observed NULL "
           "with errno %d",
           limit, large, ENOMEM, large_errno);
    size_t small = pile_up(&by_malloc, 48, SMALL_MOST, &small_errno);
    EXPECT(small == SMALL_MOST || small_errno == ENOMEM,
           "malloc(48) over %s, after %zu blocks: expected NULL with errno %d, observed NULL with "
           "errno %d",
           limit, small, ENOMEM, small_errno);
    return PASS;
}

PROCESS_PROBE(address_space_limit_means_enomem, "POSIX17-rlimit-1")
{
    if (!limit_memory(64 * MIB))
        return UNSUPPORTED("RLIMIT_AS could not be lowered");
    return exceed("RLIMIT_AS");
}

/* Lowers RLIMIT_DATA to what counts against it now (field 5 of statm) and `room` more; false if
 * this system does not count mappings. */
static bool limit_data(size_t room)
{
    char text[128] = "", *rest = text;
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    bool is_read = file >= 0 && read(file, text, sizeof text - 1) > 0;
    if (file >= 0)
        close(file);
    size_t pages = strtoul(rest, &rest, 10);
    for (int field = 1; field <= 5; field++)
        pages = strtoul(rest, &rest, 10);
    size_t limit = pages * (size_t)sysconf(_SC_PAGESIZE) + room;
    struct rlimit wanted = {limit, limit};
    if (!is_read || setrlimit(RLIMIT_DATA, &wanted) != 0)
        return false;
    void *more = mmap(NULL, 2 * room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (more != MAP_FAILED)
        munmap(more, 2 * room);
    return more == MAP_FAILED;
}

PROCESS_PROBE(data_limit_means_enomem, "POSIX17-rlimit-2")
{
    if (!limit_data(64 * MIB))
        return UNSUPPORTED("RLIMIT_DATA does not count mappings here");
    return exceed("RLIMIT_DATA");
}

PROCESS_PROBE(releases_end_the_shortage, "POSIX17-rlimit-3")
{
    int ignored;
    /* Addresses may stay reserved for a while, which RLIMIT_AS counts. */
    if (!limit_data(64 * MIB) && !limit_memory(64 * MIB))
        return UNSUPPORTED("neither RLIMIT_DATA nor RLIMIT_AS could be lowered");
    EXPECT_REFUSALS();
    for (int round = 0; round < 3; round++) {
        size_t large = pile_up(&by_malloc, MIB, LARGE_MOST, &ignored),
               small = pile_up(&by_malloc, 48, SMALL_MOST, &ignored);
        release_pile();
        void *first = large > 0 ? malloc(MIB) : NULL, *second = malloc(48);
        EXPECT((first != NULL || large == 0) && (second != NULL || small == 0),
               "malloc(1048576) and malloc(48), %zu blocks of 1 MiB and %zu of 48 bytes released "
               "before: expected two blocks, observed %s and %s",
               large, small, null_or_block(first), null_or_block(second));
        free(first);
        free(second);
    }
    return PASS;
}

PROCESS_PROBE(small_blocks_use_most_of_the_limit, "POSIX17-rlimit-4")
{
    size_t room = 64 * MIB, wanted = room / 2 / 48;
    int last_errno = 0;
    if (!limit_memory(room))
        return UNSUPPORTED("RLIMIT_AS could not be lowered");
    size_t count = pile_up(&by_malloc, 48, wanted, &last_errno);
    EXPECT(count == wanted,
           "malloc(48) with %zu bytes left under RLIMIT_AS: expected %zu blocks, half of that, "
           "observed NULL after %zu",
           room, wanted, count);
    return PASS;
}

PROCESS_PROBE(process_starts_under_a_moderate_limit, "POSIX17-rlimit-5")
{
    enum { HAS_BLOCK = 40, HAS_NONE };
    static const char *const no_changes[] = {NULL};
    struct rlimit limit = {512 * MIB, 512 * MIB};
    if (strcmp(probe_stage(), "limited") == 0) {
        char *block = malloc(MIB);
        if (block != NULL)
            fill(block, MIB, 1);
        _exit(block == NULL ? HAS_NONE : HAS_BLOCK);
    }
    if (setrlimit(RLIMIT_AS, &limit) != 0)
        return UNSUPPORTED("RLIMIT_AS could not be lowered");
    int status = run_again("limited", no_changes);
    EXPECT(
        status == -1 || WIFEXITED(status),
        "a process started under RLIMIT_AS of 512 MiB: expected malloc(1048576) to return a block, "
        "observed death by signal %d",
        WTERMSIG(status));
    int answer = status == -1 ? -1 : WEXITSTATUS(status);
    EXPECT(answer == HAS_BLOCK,
           "a process started under RLIMIT_AS of 512 MiB: expected malloc(1048576) to return a "
           "block, observed %s",
           answer == HAS_NONE ? "NULL"
           : answer == -1     ? "no end"
                              : "that it could not start");
    return PASS;
}

/* For root the limit on locked memory does not count. */
static bool limit_locked_memory(size_t size)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_MEMLOCK, &limit) != 0)
        return false;
    limit.rlim_max = limit.rlim_max > size ? size : limit.rlim_max;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_MEMLOCK, &limit) != 0 || (geteuid() == 0 && setuid(65534) != 0))
        return false;
    return mlockall(MCL_FUTURE) == 0;
}

PROCESS_PROBE(locked_memory_limit_means_enomem, "POSIX17-mlock-1")
{
    int last_errno = 0;
    if (!limit_locked_memory(16 * MIB))
        return UNSUPPORTED("mlockall(MCL_FUTURE) is not permitted, or root cannot be given up");
    size_t count = pile_up(&by_malloc, MIB, LARGE_MOST, &last_errno);
    if (count == LARGE_MOST)
        return UNSUPPORTED(
            "malloc(1048576): %d blocks were given under RLIMIT_MEMLOCK, so it does not count here",
            LARGE_MOST);
    if (last_errno == EAGAIN)
        return WEAK("malloc(1048576) over RLIMIT_MEMLOCK, after %zu blocks: expected NULL with "
                    "errno %d, observed EAGAIN",
                    count, ENOMEM);
    EXPECT(last_errno == ENOMEM,
           "malloc(1048576) over RLIMIT_MEMLOCK, after %zu blocks: expected NULL with errno %d, "
           "observed errno %d",
           count, ENOMEM, last_errno);
    return PASS;
}
