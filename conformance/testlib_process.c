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

int run_in_child(int (*function)(void), unsigned seconds)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        alarm(seconds);
        _exit(function());
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

int wait_for_child(pid_t child, unsigned seconds)
{
    int status = -1;
    for (unsigned tick = 0; tick < seconds * 2000; tick++) {
        if (waitpid(child, &status, WNOHANG) == child)
            return status;
        usleep(500);
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return -1;
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
    enum { REPORT = 3, REPORT_SIZE = 1 << 16, SECONDS = 20 };
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
    return child > 0 ? wait_for_child(child, SECONDS) : -1;
}

/* 0: it exits with 0; 1: it does not; the text is its standard input, what it says goes nowhere. */
static int run_compiler(const char *text, const char *const arguments[])
{
    enum { SECONDS = 60 };
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
    int status = child > 0 ? wait_for_child(child, SECONDS) : -1;
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

enum probe_outcome ask_in_child(enum probe_outcome (*question)(void), unsigned seconds,
                                const char *what)
{
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        alarm(seconds);
        _exit((int)question());
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    bool is_dead = status == -1 || WIFSIGNALED(status);
    EXPECT(!is_dead || WTERMSIG(status) != SIGALRM,
           "%s: expected to end, observed none of it in %u seconds", what, seconds);
    EXPECT(!is_dead, "%s: expected to end, observed death by signal %d", what, WTERMSIG(status));
    return (enum probe_outcome)WEXITSTATUS(status);
}
