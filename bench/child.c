/* SPDX-License-Identifier: MIT */
/*
 * The start of a run. The launcher stands between `mallet` and the program that is measured,
 * because the peak that the system reports for a process includes that of the process it was
 * started from: the launcher is small, `mallet` is not.
 */
#include "bench/child.h"

#include "bench/answer.h"
#include "harness/base/clock.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, STATUS_MAX = 4095 };

extern char **environ;

static struct bench_answer *answer; /* a mapping of our own if nobody waits for it */
static uint64_t began_ns;

/* ---- for workloads ---- */

/* No stdio: it would allocate. */
void fail(const char *what)
{
    static const char prefix[] = "mallet-bench-child: ";
    if (write(STDERR_FILENO, prefix, sizeof prefix - 1) < 0 ||
        write(STDERR_FILENO, what, strlen(what)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
        _exit(4);
    _exit(3);
}

void fail_call(const char *call, size_t size)
{
    char sentence[96];
    snprintf(sentence, sizeof sentence, "%s of %zu bytes failed", call, size);
    fail(sentence);
}

void *take_whole(size_t size)
{
    char *block = take(size);
    for (size_t at = PAGE; at < size; at += PAGE)
        *(volatile char *)(block + at) = 1;
    *(volatile char *)(block + size - 1) = 1;
    return block;
}

void *map_table(size_t count, size_t entry_size)
{
    void *table = mmap(NULL, count * entry_size, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (table == MAP_FAILED)
        fail("no memory for a table");
    return table;
}

void measure_begin(void)
{
    began_ns = clock_cpu_ns();
}

/* What the system reports of a process that has ended may lack up to 31 pages of each kind for each
 * processor, which it had not yet added up; while the process lives it adds up all. */
static uint64_t exact_peak_bytes(void)
{
    char status[STATUS_MAX + 1];
    int file = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, status, STATUS_MAX);
    if (file >= 0)
        close(file);
    status[length < 0 ? 0 : length] = '\0';
    const char *line = strstr(status, "\nVmHWM:");
    return line == NULL ? 0 : strtoull(line + strlen("\nVmHWM:"), NULL, 10) * 1024;
}

void measure_end(uint64_t operations, uint64_t live_bytes)
{
    answer->cpu_ns = clock_cpu_ns() - began_ns;
    answer->peak_bytes = exact_peak_bytes();
    answer->operations = operations;
    answer->live_bytes = live_bytes;
    answer->is_measured = true;
}

/* ---- the start of a run ---- */

static void map_answer(void)
{
    answer = mmap(NULL, sizeof *answer, PROT_READ | PROT_WRITE, MAP_SHARED, ANSWER_DESCRIPTOR, 0);
    if (answer == MAP_FAILED)
        answer = map_table(1, sizeof *answer);
}

/* A library that cannot be preloaded is passed over by the loader: the run would be the libc's. */
static void tell_malloc_file(void)
{
    Dl_info info;
    void *function = dlsym(RTLD_DEFAULT, "malloc");
    if (function != NULL && dladdr(function, &info) != 0 && info.dli_fname != NULL)
        strncpy(answer->malloc_file, info.dli_fname, ANSWER_PATH_MAX - 1);
}

static uint64_t to_ns(struct timeval time)
{
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_usec * 1000;
}

static int launch(char **arguments)
{
    pid_t pid;
    struct rusage usage;
    if (chdir(arguments[0]) != 0)
        fail("the folder is not there");
    if (arguments[1][0] != '\0')
        setenv("LD_PRELOAD", arguments[1], 1);
    int result = posix_spawn(&pid, arguments[2], NULL, NULL, arguments + 2, environ);
    if (result != 0)
        fail(strerror(result));
    if (wait4(pid, &answer->status, 0, &usage) != pid)
        fail("the program is gone");
    answer->process_cpu_ns = to_ns(usage.ru_utime) + to_ns(usage.ru_stime);
    uint64_t peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
    if (peak_bytes > answer->peak_bytes)
        answer->peak_bytes = peak_bytes;
    answer->faults = (uint64_t)(usage.ru_minflt + usage.ru_majflt);
    answer->is_ended = true;
    return 0;
}

static int run_workload(char **arguments)
{
    static const struct {
        const char *name;
        void (*run)(size_t size, uint64_t count);
    } kinds[] = {
#define KIND(name) {#name, run_##name},
        WORKLOAD_KINDS(KIND)
#undef KIND
    };
    uint64_t count = strtoull(arguments[2], NULL, 10);
    tell_malloc_file();
    if (strcmp(arguments[0], "trace") == 0) {
        run_trace(arguments[1], count);
        return 0;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(arguments[0], kinds[i].name) == 0) {
            kinds[i].run(strtoull(arguments[1], NULL, 10), count);
            return 0;
        }
    fail("there is no workload of this kind");
}

int main(int argc, char **argv)
{
    map_answer();
    if (argc >= 5 && strcmp(argv[1], "launch") == 0)
        return launch(argv + 2);
    if (argc == 4)
        return run_workload(argv + 1);
    fail("usage: KIND SIZE COUNT; `mallet bench` runs this program");
}
