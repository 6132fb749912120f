/* SPDX-License-Identifier: MIT */
#include "harness/run/os_calls.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <ucontext.h>

#if defined(__i386__)
#undef SYS_mmap
#define SYS_mmap SYS_mmap2 /* which libcs call there */
#endif

static struct {
    bool is_watched;
    atomic_bool is_inside;
    atomic_uint fail_in; /* calls until the one that fails, that one included; 0: none */
    atomic_uint gap;     /* then the distance of the next */
    atomic_uint calls[OS_CALL_COUNT];
    atomic_uint failed[OS_CALL_COUNT];
    atomic_uint all, all_failed; /* sums of these: asked for around every call of the subject */
    struct os_call_failures *told;
} os;

static const struct {
    const char *name;
    unsigned number;
} calls[OS_CALL_COUNT] = {
#define CALL(name) [OS_CALL_##name] = {#name, SYS_##name},
    OS_CALLS(CALL)
#undef CALL
};

const char *os_call_name(enum os_call call)
{
    return calls[call].name;
}

bool os_calls_are_watched(void)
{
    return os.is_watched;
}

void os_calls_enter(void)
{
    atomic_store_explicit(&os.is_inside, true, memory_order_relaxed);
}

void os_calls_leave(void)
{
    atomic_store_explicit(&os.is_inside, false, memory_order_relaxed);
}

void os_calls_fail(unsigned nth, unsigned gap)
{
    atomic_store(&os.gap, gap);
    atomic_store(&os.fail_in, nth);
}

void os_calls_add(unsigned nth)
{
    if (nth != 0 && atomic_load(&os.fail_in) != 0)
        atomic_store(&os.gap, nth);
    else
        os_calls_fail(nth, 0);
}

void os_calls_tell(struct os_call_failures *failures)
{
    os.told = failures;
}

uint32_t os_calls_of(enum os_call call)
{
    return atomic_load_explicit(&os.calls[call], memory_order_relaxed);
}

uint32_t os_calls_all(void)
{
    return atomic_load_explicit(&os.all, memory_order_relaxed);
}

uint32_t os_calls_all_failed(void)
{
    return atomic_load_explicit(&os.all_failed, memory_order_relaxed);
}

struct os_call_counts os_calls_count(void)
{
    struct os_call_counts counts = {0};
    for (unsigned i = 0; i < OS_CALL_COUNT; i++) {
        counts.calls[i] = os_calls_of((enum os_call)i);
        counts.all += counts.calls[i];
        counts.failed_calls[i] = atomic_load_explicit(&os.failed[i], memory_order_relaxed);
        counts.failed += counts.failed_calls[i];
    }
    return counts;
}

/* Counts one call, and says whether it is the one to fail: of those that can. */
static bool is_to_fail(enum os_call call, bool can_fail)
{
    if (!atomic_load_explicit(&os.is_inside, memory_order_relaxed))
        return false;
    atomic_fetch_add(&os.calls[call], 1);
    atomic_fetch_add(&os.all, 1);
    if (!can_fail)
        return false;
    unsigned left = atomic_load(&os.fail_in);
    while (left != 0 && !atomic_compare_exchange_weak(&os.fail_in, &left, left - 1))
        ;
    if (left != 1)
        return false;
    atomic_store(&os.fail_in, atomic_exchange(&os.gap, 0));
    atomic_fetch_add(&os.failed[call], 1);
    atomic_fetch_add(&os.all_failed, 1);
    if (os.told != NULL) {
        os.told->last = 1 + call;
        os.told->calls[call]++;
    }
    return true;
}

#if (defined(__x86_64__) || defined(__i386__)) && !defined(MALLET_SANITIZED)

/* The one system call that the filter lets pass: it tells it by the address behind the
 * instruction. */
long os_calls_pass(long number, long a, long b, long c, long d, long e, long f);
extern const char os_calls_passed[];

#if defined(__x86_64__)

#define THIS_ARCH AUDIT_ARCH_X86_64
enum { RESULT = REG_RAX };
static const int argument[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9};
__asm__(".text\n"
        ".globl os_calls_pass\n"
        ".type os_calls_pass, @function\n"
        "os_calls_pass:\n"
        "    mov %rdi, %rax\n"
        "    mov %rsi, %rdi\n"
        "    mov %rdx, %rsi\n"
        "    mov %rcx, %rdx\n"
        "    mov %r8, %r10\n"
        "    mov %r9, %r8\n"
        "    mov 8(%rsp), %r9\n"
        "    syscall\n"
        ".globl os_calls_passed\n"
        "os_calls_passed:\n"
        "    ret\n"
        ".size os_calls_pass, . - os_calls_pass\n");

#else

#define THIS_ARCH AUDIT_ARCH_I386
enum { RESULT = REG_EAX };
static const int argument[] = {REG_EBX, REG_ECX, REG_EDX, REG_ESI, REG_EDI, REG_EBP};
__asm__(".text\n"
        ".globl os_calls_pass\n"
        ".type os_calls_pass, @function\n"
        "os_calls_pass:\n"
        "    push %ebp\n"
        "    push %edi\n"
        "    push %esi\n"
        "    push %ebx\n"
        "    mov 20(%esp), %eax\n"
        "    mov 24(%esp), %ebx\n"
        "    mov 28(%esp), %ecx\n"
        "    mov 32(%esp), %edx\n"
        "    mov 36(%esp), %esi\n"
        "    mov 40(%esp), %edi\n"
        "    mov 44(%esp), %ebp\n"
        "    int $0x80\n"
        ".globl os_calls_passed\n"
        "os_calls_passed:\n"
        "    pop %ebx\n"
        "    pop %esi\n"
        "    pop %edi\n"
        "    pop %ebp\n"
        "    ret\n"
        ".size os_calls_pass, . - os_calls_pass\n");

#endif

/* A brk that fails returns the old break; the others, a negative errno. */
static greg_t answer_failure(enum os_call call)
{
    return call == OS_CALL_brk ? os_calls_pass(SYS_brk, 0, 0, 0, 0, 0, 0) : -ENOMEM;
}

/* rt_sigprocmask with SIGSYS left out of what it blocks: a call of the list would kill the process
 * otherwise. The mask is that of the interrupted code, which the return from the handler sets. */
static int change_mask(ucontext_t *context, int how, const uint64_t *set, uint64_t *ret_old)
{
    uint64_t mask, old;
    memcpy(&old, &context->uc_sigmask, sizeof old);
    if (set != NULL && how != SIG_BLOCK && how != SIG_UNBLOCK && how != SIG_SETMASK)
        return -EINVAL;
    if (set != NULL) {
        mask = how == SIG_BLOCK ? old | *set : how == SIG_UNBLOCK ? old & ~*set : *set;
        mask &= ~((uint64_t)1 << (SIGSYS - 1));
        memcpy(&context->uc_sigmask, &mask, sizeof mask);
    }
    if (ret_old != NULL)
        *ret_old = old;
    return 0;
}

static void on_call(int signal, siginfo_t *info, void *context)
{
    (void)signal;
    greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;
    unsigned call = 0;
    if (info->si_syscall == SYS_rt_sigprocmask) {
        registers[RESULT] = change_mask(context, (int)registers[argument[0]],
                                        (const uint64_t *)registers[argument[1]],
                                        (uint64_t *)registers[argument[2]]);
        return;
    }
    while (call < OS_CALL_COUNT && calls[call].number != (unsigned)info->si_syscall)
        call++;
    /* brk(0) only asks. A refused one that lowers the break returns more than was asked for, which
     * is success to sbrk: no allocator could tell. */
    uintptr_t to = (uintptr_t)registers[argument[0]];
    bool is_break = call == OS_CALL_brk, is_query = is_break && to == 0;
    bool can_fail = !is_break || to > (uintptr_t)os_calls_pass(SYS_brk, 0, 0, 0, 0, 0, 0);
    if (call < OS_CALL_COUNT && !is_query && is_to_fail((enum os_call)call, can_fail))
        registers[RESULT] = answer_failure((enum os_call)call);
    else
        registers[RESULT] =
            os_calls_pass(info->si_syscall, registers[argument[0]], registers[argument[1]],
                          registers[argument[2]], registers[argument[3]], registers[argument[4]],
                          registers[argument[5]]);
}

#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_HIGH(field) \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field) + 4)
#define IF_EQUAL(value, then, other) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), then, other)
#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

static int install_filter(void)
{
    uint64_t passed = (uintptr_t)os_calls_passed;
    struct sock_filter filter[] = {
        LOAD(arch),
        IF_EQUAL(THIS_ARCH, 0, 8 + OS_CALL_COUNT), /* to the end: allow */
        LOAD(nr),
#define CALL(name) IF_EQUAL(SYS_##name, OS_CALL_COUNT + 1 - OS_CALL_##name, 0),
        OS_CALLS(CALL)
#undef CALL
            IF_EQUAL(SYS_rt_sigprocmask, 1, 0),
        ALLOW,
        LOAD(instruction_pointer),
        IF_EQUAL(passed, 0, 2),
        LOAD_HIGH(instruction_pointer),
        IF_EQUAL(passed >> 32, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        ALLOW,
    };
    const struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        return errno;
    return 0;
}

static int start_watch(void)
{
    struct sigaction action = {.sa_sigaction = on_call,
                               .sa_flags = SA_SIGINFO | SA_NODEFER | SA_RESTART};
    sigset_t sigsys;
    sigemptyset(&sigsys);
    sigaddset(&sigsys, SIGSYS);
    if (sigaction(SIGSYS, &action, NULL) != 0 || sigprocmask(SIG_UNBLOCK, &sigsys, NULL) != 0)
        return errno;
    return install_filter();
}

#else

static int start_watch(void)
{
    (void)is_to_fail;
    return ENOTSUP;
}

#endif

int os_calls_watch(void)
{
    int result = os.is_watched ? 0 : start_watch();
    os.is_watched = result == 0;
    return result;
}
