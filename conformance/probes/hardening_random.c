/* SPDX-License-Identifier: MIT */
/*
 * What an attacker can predict: addresses, their order and their reuse; and what exhaustion leads
 * to. Recorded, not judged.
 */
#include "conformance/testlib.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

/* How many blocks are taken until the address comes back; `limit`: it did not. */
static size_t measure_delay(size_t limit)
{
    enum { MOST = 1000 };
    static void *taken[MOST];
    size_t count = 0;
    void *block = malloc(64);
    free(block);
    while (count < limit && count < MOST) {
        taken[count] = malloc(64);
        if (taken[count++] == block)
            break;
    }
    size_t delay = count > 0 && taken[count - 1] == block ? count : limit;
    for (size_t i = 0; i < count; i++)
        free(taken[i]);
    return delay;
}

static int compare_delays(const void *left, const void *right)
{
    size_t a = *(const size_t *)left, b = *(const size_t *)right;
    return (a > b) - (a < b);
}

PROBE(freed_addresses_return, "HARD-reuse-delay")
{
    enum { TRIALS = 201, LIMIT = 1000 };
    size_t delays[TRIALS];
    for (size_t i = 0; i < TRIALS; i++)
        delays[i] = measure_delay(LIMIT);
    qsort(delays, TRIALS, sizeof delays[0], compare_delays);
    return RECORDED("free(p), then malloc(64) until p returns, %d times: observed a median of %zu "
                    "calls, from %zu to %zu, %d at most",
                    TRIALS, delays[TRIALS / 2], delays[0], delays[TRIALS - 1], LIMIT);
}

struct addresses {
    uintptr_t first;
    size_t same_steps; /* how often two blocks in a row are as far apart as the two before them */
};

enum { ADDRESS_BLOCKS = 66, ADDRESS_PIPE = 9 };

static struct addresses sample_addresses(void)
{
    uintptr_t at[ADDRESS_BLOCKS];
    struct addresses sample = {0};
    for (size_t i = 0; i < ADDRESS_BLOCKS; i++) {
        at[i] = (uintptr_t)malloc(32);
        sample.same_steps += i >= 2 && at[i] - at[i - 1] == at[i - 1] - at[i - 2];
    }
    sample.first = at[0];
    return sample;
}

static unsigned count_bits(uintptr_t bits)
{
    unsigned count = 0;
    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

/* Another run of this program sends its sample through the pipe. */
static bool sample_run(struct addresses *ret_sample)
{
    static const char *const changes[] = {NULL};
    int ends[2];
    if (pipe(ends) != 0 || dup2(ends[1], ADDRESS_PIPE) < 0)
        return false;
    close(ends[1]);
    int status = run_again("addresses", changes);
    close(ADDRESS_PIPE);
    bool is_there =
        status == 0 && read(ends[0], ret_sample, sizeof *ret_sample) == sizeof *ret_sample;
    close(ends[0]);
    return is_there;
}

PROBE(addresses_differ_between_runs, "HARD-random")
{
    enum { RUNS = 12, STEPS = ADDRESS_BLOCKS - 2 };
    struct addresses sample, first = {0};
    uintptr_t varied = 0;
    size_t same_steps = 0;
    if (strcmp(probe_stage(), "addresses") == 0) {
        sample = sample_addresses();
        _exit(write(ADDRESS_PIPE, &sample, sizeof sample) == sizeof sample ? 0 : 1);
    }
    for (int run = 0; run < RUNS; run++) {
        if (!sample_run(&sample))
            return UNSUPPORTED(
                "another run of this program: expected its addresses, observed none");
        first = run == 0 ? sample : first;
        varied |= sample.first ^ first.first;
        same_steps += sample.same_steps;
    }
    return RECORDED("malloc(32) in %d runs: observed that %u bits of the first address vary, %u of "
                    "them within a page, and that %zu of %d steps "
                    "from block to block repeat the step before",
                    RUNS, count_bits(varied), count_bits(varied % 4096), same_steps, RUNS * STEPS);
}

static int exhaust_with_malloc(void)
{
    int error = 0;
    return exhaust(&by_malloc, 0, 256 * MIB, &error) ? (error == ENOMEM ? 0 : 1) : 2;
}

PROBE(exhaustion_gives_null, "HARD-oom-policy")
{
    int status = run_in_child(exhaust_with_malloc);
    if (!WIFEXITED(status))
        return SILENT("malloc without memory left: expected NULL, observed %s", name_end(status));
    if (WEXITSTATUS(status) == 2)
        return UNSUPPORTED(
            "malloc under a limit of address space: expected exhaustion, observed none");
    return RECORDED("malloc without memory left: observed NULL with errno %s",
                    WEXITSTATUS(status) == 0 ? "ENOMEM" : "other than ENOMEM");
}
