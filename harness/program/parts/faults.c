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
 * x86. */
static volatile unsigned fail_in, fail_then, failed;
long os_call(long number, long a, long b, long c, long d, long e, long f);
extern const char os_call_passed[];
#ifdef WITH_I386
#undef SYS_mmap
#define SYS_mmap SYS_mmap2 /* which the libc calls there */
enum { RESULT = REG_EAX };
static const int register_of[] = {REG_EBX, REG_ECX, REG_EDX, REG_ESI, REG_EDI, REG_EBP};
__asm__(".pushsection .text\n"
        "os_call: push %ebp; push %edi; push %esi; push %ebx; mov 20(%esp), %eax\n"
        "mov 24(%esp), %ebx; mov 28(%esp), %ecx; mov 32(%esp), %edx; mov 36(%esp), %esi\n"
        "mov 40(%esp), %edi; mov 44(%esp), %ebp; int $0x80\n"
        "os_call_passed: pop %ebx; pop %esi; pop %edi; pop %ebp; ret\n"
        ".popsection\n");
#else
enum { RESULT = REG_RAX };
static const int register_of[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9};
__asm__(".pushsection .text\n"
        "os_call: mov %rdi, %rax; mov %rsi, %rdi; mov %rdx, %rsi; mov %rcx, %rdx\n"
        "mov %r8, %r10; mov %r9, %r8; mov 8(%rsp), %r9; syscall; os_call_passed: ret\n"
        ".popsection\n");
#endif

static void on_os_call(int signal_number, siginfo_t *info, void *context)
{
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    const int *a = register_of;
    (void)signal_number;
    /* a break that is asked for, or lowered */
    int cannot_fail = info->si_syscall == SYS_brk &&
                      (size_t)r[a[0]] <= (size_t)os_call(SYS_brk, 0, 0, 0, 0, 0, 0);
    if (fail_in == 0 || cannot_fail || --fail_in != 0) {
        r[RESULT] = os_call(info->si_syscall, r[a[0]], r[a[1]], r[a[2]], r[a[3]], r[a[4]], r[a[5]]);
        return;
    }
    r[RESULT] = info->si_syscall == SYS_brk ? os_call(SYS_brk, 0, 0, 0, 0, 0, 0) : -ENOMEM;
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
                                   IF((uint64_t)(uintptr_t)os_call_passed >> 32, 1, 0),
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
