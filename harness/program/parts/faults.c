/* SPDX-License-Identifier: MIT */
/* The system refuses memory, as harness/run/os_calls.c has it do. */
#include "harness/program/parts/fail.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

/* The system refuses memory when told to. A filter turns its calls for memory into SIGSYS, whose
 * handler refuses, or makes the call itself at the one place that the filter lets pass. Linux on
 * x86-64. */
static volatile unsigned fail_in, fail_then, failed;
long os_call(long number, long a, long b, long c, long d, long e, long f);
extern const char os_call_passed[];
__asm__(".pushsection .text\n"
        "os_call: mov %rdi, %rax; mov %rsi, %rdi; mov %rdx, %rsi; mov %rcx, %rdx\n"
        "mov %r8, %r10; mov %r9, %r8; mov 8(%rsp), %r9; syscall; os_call_passed: ret\n"
        ".popsection\n");

static void on_os_call(int signal_number, siginfo_t *info, void *context)
{
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    (void)signal_number;
    /* brk(0) only asks where the break is, as the first sbrk of a process does */
    int is_query = info->si_syscall == SYS_brk && r[REG_RDI] == 0;
    if (fail_in == 0 || is_query || --fail_in != 0) {
        r[REG_RAX] = os_call(info->si_syscall, r[REG_RDI], r[REG_RSI], r[REG_RDX], r[REG_R10],
                             r[REG_R8], r[REG_R9]);
        return;
    }
    r[REG_RAX] = info->si_syscall == SYS_brk ? os_call(SYS_brk, 0, 0, 0, 0, 0, 0) : -ENOMEM;
    fail_in = fail_then;
    fail_then = 0;
    failed++;
}

#define LOAD(field, more) \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field) + more)
#define IF(value, then, other) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(value), then, other)
#define DO(what)               BPF_STMT(BPF_RET | BPF_K, what)

static void watch_os(void)
{
    struct sock_filter filter[] = {LOAD(nr, 0),
                                   IF(SYS_mmap, 6, 0),
                                   IF(SYS_munmap, 5, 0),
                                   IF(SYS_mremap, 4, 0),
                                   IF(SYS_madvise, 3, 0),
                                   IF(SYS_mprotect, 2, 0),
                                   IF(SYS_brk, 1, 0),
                                   DO(SECCOMP_RET_ALLOW),
                                   LOAD(instruction_pointer, 0),
                                   IF((uintptr_t)os_call_passed, 0, 2),
                                   LOAD(instruction_pointer, 4),
                                   IF((uintptr_t)os_call_passed >> 32, 1, 0),
                                   DO(SECCOMP_RET_TRAP),
                                   DO(SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    struct sigaction action = {.sa_sigaction = on_os_call,
                               .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART};
    sigaction(SIGSYS, &action, NULL);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        FAIL("the system lets no filter be set\n");
}

/* The nth of its calls from here on fails; while one is still to fail, the nth after that one as
 * well. */
static void fail_os(unsigned nth)
{
    if (nth != 0 && fail_in != 0) {
        fail_then = nth;
        return;
    }
    fail_in = nth;
    fail_then = 0;
}
