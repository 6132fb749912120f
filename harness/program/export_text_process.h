/* SPDX-License-Identifier: MIT */
/* The fixed parts of an exported program that has threads, forks or a system that refuses memory.
 * Included by export.c only. */
#ifndef HARNESS_EXPORT_TEXT_PROCESS_H
#define HARNESS_EXPORT_TEXT_PROCESS_H

#define TEXT_FAULTS_INCLUDES                                                                     \
    "#include <linux/audit.h>\n#include <linux/filter.h>\n#include <linux/seccomp.h>\n#include " \
    "<stddef.h>\n#include <sys/prctl.h>\n"                                                       \
    "#include <sys/syscall.h>\n#include <ucontext.h>\n"

/* As harness/run/os_calls.c does it. */
#define TEXT_FAULTS                                                                                \
    "/* The system refuses memory when told to. A filter turns its calls for memory into SIGSYS, " \
    "whose handler refuses, or makes\n"                                                            \
    " * the call itself at the one place that the filter lets pass. Linux on x86-64. */\n"         \
    "static volatile unsigned fail_in, fail_then, failed;\n"                                       \
    "long os_call(long number, long a, long b, long c, long d, long e, long f);\n"                 \
    "extern const char os_call_passed[];\n"                                                        \
    "__asm__(\".pushsection .text\\n\"\n"                                                          \
    "        \"os_call: mov %%rdi, %%rax; mov %%rsi, %%rdi; mov %%rdx, %%rsi; mov %%rcx, %%rdx; "  \
    "mov %%r8, %%r10; mov %%r9, %%r8\\n\"\n"                                                       \
    "        \"mov 8(%%rsp), %%r9; syscall; os_call_passed: ret; .popsection\\n\");\n\n"           \
    "static void on_os_call(int signal_number, siginfo_t *info, void *context)\n"                  \
    "{\n"                                                                                          \
    "    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;\n"                                \
    "    (void)signal_number;\n"                                                                   \
    "    if (fail_in == 0 || --fail_in != 0) {\n"                                                  \
    "        r[REG_RAX] = os_call(info->si_syscall, r[REG_RDI], r[REG_RSI], r[REG_RDX], "          \
    "r[REG_R10], r[REG_R8], r[REG_R9]);\n"                                                         \
    "        return;\n"                                                                            \
    "    }\n"                                                                                      \
    "    r[REG_RAX] = info->si_syscall == SYS_brk ? os_call(SYS_brk, 0, 0, 0, 0, 0, 0) : "         \
    "-ENOMEM;\n"                                                                                   \
    "    fail_in = fail_then;\n"                                                                   \
    "    fail_then = 0;\n"                                                                         \
    "    failed++;\n"                                                                              \
    "}\n\n"                                                                                        \
    "#define LOAD(field, more) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, "  \
    "field) + more)\n"                                                                             \
    "#define IF(value, then, other) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(value), then, " \
    "other)\n"                                                                                     \
    "#define DO(what) BPF_STMT(BPF_RET | BPF_K, what)\n\n"                                         \
    "static void watch_os(void)\n"                                                                 \
    "{\n"                                                                                          \
    "    struct sock_filter filter[] = {\n"                                                        \
    "        LOAD(nr, 0), IF(SYS_mmap, 6, 0), IF(SYS_munmap, 5, 0), IF(SYS_mremap, 4, 0), "        \
    "IF(SYS_madvise, 3, 0),\n"                                                                     \
    "        IF(SYS_mprotect, 2, 0), IF(SYS_brk, 1, 0), DO(SECCOMP_RET_ALLOW), "                   \
    "LOAD(instruction_pointer, 0),\n"                                                              \
    "        IF((uintptr_t)os_call_passed, 0, 2), LOAD(instruction_pointer, 4), "                  \
    "IF((uintptr_t)os_call_passed >> 32, 1, 0),\n"                                                 \
    "        DO(SECCOMP_RET_TRAP), DO(SECCOMP_RET_ALLOW)};\n"                                      \
    "    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};\n"                \
    "    struct sigaction action = {.sa_sigaction = on_os_call, .sa_flags = SA_SIGINFO | "         \
    "SA_NODEFER | SA_RESTART};\n"                                                                  \
    "    sigaction(SIGSYS, &action, NULL);\n"                                                      \
    "    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_SECCOMP, "                \
    "SECCOMP_MODE_FILTER, &program) != 0)\n"                                                       \
    "        FAIL(\"the system lets no filter be set\\n\");\n"                                     \
    "}\n\n"                                                                                        \
    "/* The nth of its calls from here on fails; while one is still to fail, the nth after that "  \
    "one as well. */\n"                                                                            \
    "static void fail_os(unsigned nth)\n"                                                          \
    "{\n"                                                                                          \
    "    if (nth != 0 && fail_in != 0) {\n"                                                        \
    "        fail_then = nth;\n"                                                                   \
    "        return;\n"                                                                            \
    "    }\n"                                                                                      \
    "    fail_in = nth;\n"                                                                         \
    "    fail_then = 0;\n"                                                                         \
    "}\n\n"

/* %s, %s, twice: what keeps the system calls of starting and ending a thread out of the count. */
#define TEXT_THREADS                                                                               \
    "/* The threads: one at a time runs a part of what is to be done, while the others wait. */\n" \
    "static struct thread {\n"                                                                     \
    "    pthread_t id;\n"                                                                          \
    "    int is_running;\n"                                                                        \
    "    sem_t turn, done;\n"                                                                      \
    "    void (*part)(void); /* NULL: the thread ends */\n"                                        \
    "    _Alignas(4096) char stack[1 << 19];\n"                                                    \
    "} threads[8];\n\n"                                                                            \
    "static void wait_for(sem_t *what)\n"                                                          \
    "{\n"                                                                                          \
    "    while (sem_wait(what) != 0)\n"                                                            \
    "        ;\n"                                                                                  \
    "}\n\n"                                                                                        \
    "static void *live(void *argument)\n"                                                          \
    "{\n"                                                                                          \
    "    struct thread *thread = argument;\n"                                                      \
    "    for (;;) {\n"                                                                             \
    "        wait_for(&thread->turn);\n"                                                           \
    "        if (thread->part == NULL)\n"                                                          \
    "            return NULL;\n"                                                                   \
    "        thread->part();\n"                                                                    \
    "        sem_post(&thread->done);\n"                                                           \
    "    }\n"                                                                                      \
    "}\n\n"                                                                                        \
    "static void run_in(int i, void (*part)(void))\n"                                              \
    "{\n"                                                                                          \
    "    struct thread *thread = &threads[i];\n"                                                   \
    "    if (i == 0) {\n"                                                                          \
    "        part();\n"                                                                            \
    "        return;\n"                                                                            \
    "    }\n"                                                                                      \
    "    if (!thread->is_running) {\n"                                                             \
    "%s"                                                                                           \
    "        sem_init(&thread->turn, 0, 0);\n"                                                     \
    "        sem_init(&thread->done, 0, 0);\n"                                                     \
    "        pthread_attr_t attributes; /* a stack of our own: no system calls for it */\n"        \
    "        pthread_attr_init(&attributes);\n"                                                    \
    "        pthread_attr_setstack(&attributes, thread->stack, sizeof thread->stack);\n"           \
    "        if (pthread_create(&thread->id, &attributes, live, thread) != 0)\n"                   \
    "            FAIL(\"cannot start a thread\\n\");\n"                                            \
    "        thread->is_running = 1;\n"                                                            \
    "%s"                                                                                           \
    "    }\n"                                                                                      \
    "    thread->part = part;\n"                                                                   \
    "    sem_post(&thread->turn);\n"                                                               \
    "    wait_for(&thread->done);\n"                                                               \
    "}\n\n"

#define TEXT_END_THREAD                          \
    "static void end_thread(int i)\n"            \
    "{\n"                                        \
    "    struct thread *thread = &threads[i];\n" \
    "    if (!thread->is_running)\n"             \
    "        return;\n"                          \
    "%s"                                         \
    "    thread->part = NULL;\n"                 \
    "    sem_post(&thread->turn);\n"             \
    "    pthread_join(thread->id, NULL);\n"      \
    "    thread->is_running = 0;\n"              \
    "%s"                                         \
    "}\n\n"
#define TEXT_UNCOUNTED_BEGIN                                                                       \
    "    unsigned pending = fail_in; /* not for the calls of the thread itself */\n    fail_in = " \
    "0;\n"
#define TEXT_UNCOUNTED_END "    fail_in = pending;\n"

/* %zu, twice: number of slots. */
#define TEXT_FORK                                                                            \
    "/* A forked child finds every block whole, resizes and frees them, and allocates; the " \
    "parent does not notice. */\n"                                                           \
    "static void visit_in_child(void)\n"                                                     \
    "{\n"                                                                                    \
    "    int status = 0;\n"                                                                  \
    "    pid_t child = fork();\n"                                                            \
    "    if (child == 0) {\n"                                                                \
    "%s"                                                                                     \
    "        alarm(10);\n"                                                                   \
    "        for (int i = 0; i < %zu; i++)\n"                                                \
    "            hold(i);\n"                                                                 \
    "        for (int i = 0; i < %zu; i++) {\n"                                              \
    "            size_t size = n[i] + n[i] / 2 + 100;\n"                                     \
    "            if (p[i] != NULL)\n"                                                        \
    "                move(i, do_realloc(hold(i), size), size);\n"                            \
    "            do_free(drop(i));\n"                                                        \
    "        }\n"                                                                            \
    "        for (int i = 0; i < 8; i++)\n"                                                  \
    "            take(0, do_malloc((size_t)16 << 2 * i), (size_t)16 << 2 * i);\n"            \
    "        _exit(0);\n"                                                                    \
    "    }\n"                                                                                \
    "    if (child > 0 && waitpid(child, &status, 0) == child && status != 0)\n"             \
    "        FAIL(\"the forked child ended with status 0x%%x\\n\", (unsigned)status);\n"     \
    "    for (int i = 0; i < %zu; i++)\n"                                                    \
    "        hold(i);\n"                                                                     \
    "}\n\n"

#define TEXT_SAFE_CYCLE                                             \
    "    watch_os();\n"                                             \
    "    cycle();\n"                                                \
    "    is_recovering = 1; /* now the system refuses nothing */\n" \
    "    cycle();\n"
#define TEXT_SAFE_CYCLE_OVER "    is_recovering = 0;\n"

#endif
