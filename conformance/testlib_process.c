/* SPDX-License-Identifier: MIT */
/*
 * Process helpers for probes: memory limits, child processes, running this program again, running
 * the compiler.
 */
#include "conformance/testlib.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

bool limit_memory(size_t room)
{
    size_t limit = memory_mapped() + room;
    struct rlimit wanted = {limit, limit};
    return limit > room && setrlimit(RLIMIT_AS, &wanted) == 0;
}

/* Fields 3, 14 and 15 of /proc/PID/stat: whether its first thread sleeps, and the processor time of
 * all its threads in clock ticks. */
static bool read_stat(pid_t child, bool *ret_sleeps, unsigned long *ret_ticks)
{
    char path[64], text[1024] = "", state = 0;
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)child);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, text, sizeof text - 1) : -1;
    if (file >= 0)
        close(file);
    const char *name_end = length > 0 ? strrchr(text, ')') : NULL;
    if (name_end == NULL ||
        sscanf(name_end + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu", &state, &user,
               &system) != 3)
        return false;
    *ret_sleeps = state == 'S' || state == 'D';
    *ret_ticks = user + system;
    return true;
}

/* Looks, and not seconds, are counted: where this process has to wait for the processor, so may the
 * child. */
#define LOOK_US    20000
#define MANY_LOOKS 150

int wait_for_child(pid_t child, unsigned cpu_s)
{
    int status = -1;
    unsigned asleep = 0;
    unsigned long ticks = 0, before = 0, most = cpu_s * (unsigned long)sysconf(_SC_CLK_TCK);
    for (unsigned look = 0; asleep < MANY_LOOKS && (cpu_s == 0 || ticks <= most); look++) {
        bool sleeps = false;
        if (waitpid(child, &status, WNOHANG) == child)
            return status;
        usleep(look < 100 ? 500 : LOOK_US);
        before = ticks;
        if (!read_stat(child, &sleeps, &ticks) || !sleeps || ticks != before || look < 100)
            asleep = 0;
        else
            asleep++;
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return -1;
}

const char *name_end(int status)
{
    static char text[80];
    if (status == -1)
        return "a deadlock or an endless loop";
    if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "death by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, sizeof text, "exit with status %d", WEXITSTATUS(status));
    return text;
}

int run_in_child(int (*function)(void))
{
    pid_t child = fork();
    if (child == 0)
        _exit(function());
    return child > 0 ? wait_for_child(child, CHILD_CPU_S) : -1;
}

bool is_libc_malloc(void)
{
    Dl_info allocator, library;
    void *own = dlsym(RTLD_DEFAULT, "malloc"), *other = dlsym(RTLD_DEFAULT, "abort");
    bool is_known = own != NULL && other != NULL && dladdr(own, &allocator) != 0 &&
                    dladdr(other, &library) != 0;
    /* unknown: it is linked statically */
    return !is_known || allocator.dli_fbase == library.dli_fbase;
}

static bool is_variable(const char *entry, const char *change)
{
    size_t length = strcspn(change, "=");
    return strncmp(entry, change, length) == 0 && entry[length] == '=';
}

/* Valid until the next call. */
static char **change_environment(const char *const changes[])
{
    static char *environment[2048];
    size_t used = 0;
    for (char **entry = environ; *entry != NULL && used < COUNT(environment) - 32; entry++) {
        size_t i = 0;
        while (changes[i] != NULL && !is_variable(*entry, changes[i]))
            i++;
        if (changes[i] == NULL)
            environment[used++] = *entry;
    }
    for (size_t i = 0; changes[i] != NULL; i++)
        if (strchr(changes[i], '=') != NULL)
            environment[used++] = (char *)(uintptr_t)changes[i];
    environment[used] = NULL;
    return environment;
}

const char *probe_stage(void)
{
    const char *stage = getenv("PROBE_STAGE");
    return stage != NULL ? stage : "";
}

/* This process's arguments, one zero after each; NULL: not to be had. Valid until the next call. */
static char **read_arguments(void)
{
    enum { ARGUMENTS_MAX = 64 };
    static char text[8192], *arguments[ARGUMENTS_MAX + 1];
    int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t length = file >= 0 ? read(file, text, sizeof text - 1) : -1;
    if (file >= 0)
        close(file);
    size_t count = 0;
    for (ssize_t at = 0; at < length && count < ARGUMENTS_MAX; at += (ssize_t)strlen(text + at) + 1)
        arguments[count++] = text + at;
    arguments[count] = NULL;
    return count > 0 ? arguments : NULL;
}

int run_again(const char *stage, const char *const changes[])
{
    enum { REPORT = 3, REPORT_SIZE = 1 << 16 };
    static char variable[64];
    const char *all[24] = {variable};
    snprintf(variable, sizeof variable, "PROBE_STAGE=%s", stage);
    for (size_t i = 0; changes[i] != NULL && i + 2 < COUNT(all); i++)
        all[i + 1] = changes[i];
    char **arguments = read_arguments(), **environment = change_environment(all);
    pid_t child = arguments != NULL ? fork() : -1;
    if (child == 0) {
        /* where the gate's processes expect one; it is thrown away */
        int report = memfd_create("report", 0);
        if (report >= 0 && report != REPORT)
            dup2(report, REPORT);
        if (ftruncate(REPORT, REPORT_SIZE) == 0)
            execve("/proc/self/exe", arguments, environment);
        _exit(127);
    }
    return child > 0 ? wait_for_child(child, CHILD_CPU_S) : -1;
}

/* 0: it exits with 0; 1: it does not; the text is its standard input, what it says goes nowhere. */
static int run_compiler(const char *text, const char *const arguments[])
{
    int input = memfd_create("text.c", MFD_CLOEXEC),
        output = open("/dev/null", O_WRONLY | O_CLOEXEC);
    bool is_ready = input >= 0 && output >= 0 && write(input, text, strlen(text)) >= 0 &&
                    lseek(input, 0, SEEK_SET) == 0;
    char **environment = change_environment((const char *const[]){
        "LD_PRELOAD", "PROBE_STAGE", "MALLOC_CHECK_", "MALLOC_PERTURB_", NULL});
    pid_t child = is_ready ? fork() : -1;
    if (child == 0) {
        dup2(input, STDIN_FILENO);
        dup2(output, STDOUT_FILENO);
        dup2(output, STDERR_FILENO);
        execvpe(arguments[0], (char **)(uintptr_t)arguments, environment);
        _exit(127);
    }
    int status = child > 0 ? wait_for_child(child, 0) : -1;
    close(input);
    close(output);
    return status == 0 ? 0 : 1;
}

static int compile_by(size_t compiler, const char *text, const char *const options[])
{
    static const char *const compilers[][2] = {{"cc", "-O1"}, {"cc", "-m32"}, {"musl-gcc", "-O1"}};
    const char *arguments[24];
    size_t used = 0;
    arguments[used++] = compilers[compiler][0];
    arguments[used++] = compilers[compiler][1];
    for (size_t i = 0; options[i] != NULL && used + 4 < COUNT(arguments); i++)
        arguments[used++] = options[i];
    arguments[used++] = "-x";
    arguments[used++] = "c";
    arguments[used++] = "-";
    arguments[used] = NULL;
    return run_compiler(text, arguments);
}

int compile(const char *text, const char *const options[])
{
    enum { COMPILERS = 3 };
    static size_t compiler = COMPILERS;
    static char fitting[160];
    static const char *const check_only[] = {"-fsyntax-only", NULL};
    const char *is_glibc = dlsym(RTLD_DEFAULT, "gnu_get_libc_version") != NULL ? "!" : "";
    snprintf(fitting, sizeof fitting,
             "#include <stdlib.h>\n#if %sdefined __GLIBC__\n#error\n#endif\nchar fits[sizeof(void "
             "*) == %zu ? 1 : -1];\n",
             is_glibc, sizeof(void *));
    for (size_t i = 0; i < COMPILERS && compiler == COMPILERS; i++)
        if (compile_by(i, fitting, check_only) == 0)
            compiler = i;
    return compiler < COMPILERS ? compile_by(compiler, text, options) : -1;
}

enum probe_outcome ask_in_child(enum probe_outcome (*question)(void), const char *what)
{
    pid_t child = fork();
    if (child == 0)
        _exit((int)question());
    int status = child > 0 ? wait_for_child(child, 0) : -1;
    if (child < 0)
        return UNSUPPORTED("fork: expected a child, observed errno %d", errno);
    if (status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        return UNSUPPORTED("%s: more processor time is needed than the limit allows", what);
    EXPECT(status != -1 && WIFEXITED(status), "%s: expected to end, observed %s", what,
           name_end(status));
    return (enum probe_outcome)WEXITSTATUS(status);
}
