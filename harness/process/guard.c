/* SPDX-License-Identifier: MIT */
/*
 * Both sides hold one end of a socket. This process's end closes with it, as it is not inherited by
 * programs; the guard reads the end of file. A fork of this process that executes nothing holds the
 * socket too, and delays the guard until it ends itself.
 */
#include "harness/process/guard.h"

#include "harness/base/clock.h"
#include "harness/base/proc.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SESSIONS_MAX = 256, KILL_ROUNDS = 50, KILL_PAUSE_MS = 20 };

struct message {
    pid_t session; /* 0: the guard is no more needed */
    bool is_alive;
};

#define MARK_NAME "MALLET_GUARD"

static struct {
    char mark[256];   /* of `owner`: "NAME=…:ID:" */
    const char *id;   /* in it, ":ID:" */
    int socket;       /* 0: none */
    pid_t owner, pid; /* the process that started it, and its own */
} guard;

/* In the guard. */
static struct {
    pid_t sessions[SESSIONS_MAX]; /* 0: a free place */
} watched;

static void note(const struct message *message)
{
    pid_t wanted = message->is_alive ? 0 : message->session;
    for (int i = 0; i < SESSIONS_MAX; i++)
        if (watched.sessions[i] == wanted) {
            watched.sessions[i] = message->is_alive ? message->session : 0;
            return;
        }
}

/* Repeated, since what is killed may have been forking. */
static void kill_all(void)
{
    for (int round = 0; round < KILL_ROUNDS; round++) {
        unsigned alive = 0;
        for (int i = 0; i < SESSIONS_MAX; i++)
            if (watched.sessions[i] != 0)
                alive += proc_kill_session(watched.sessions[i]);
        alive += proc_kill_marked(guard.id);
        if (alive == 0)
            return;
        nanosleep(&(struct timespec){.tv_nsec = KILL_PAUSE_MS * 1000000L}, NULL);
    }
}

static void close_all_but(int kept)
{
    long limit = sysconf(_SC_OPEN_MAX);
#ifdef SYS_close_range
    if ((kept == 0 || syscall(SYS_close_range, 0u, (unsigned)kept - 1, 0u) == 0) &&
        syscall(SYS_close_range, (unsigned)kept + 1, UINT_MAX, 0u) == 0)
        return;
#endif
    for (int i = 0; i < limit; i++)
        if (i != kept)
            close(i);
}

static _Noreturn void be_guard(int socket)
{
    sigset_t all;
    struct message message;
    ssize_t got;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    setsid();
    prctl(PR_SET_NAME, "mallet-guard");
    close_all_but(socket);
    (void)!chdir("/");
    while ((got = recv(socket, &message, sizeof message, 0)) != 0)
        if (got == (ssize_t)sizeof message && message.session != 0)
            note(&message);
        else if (got >= 0 || errno != EINTR)
            break;
    kill_all();
    _exit(0);
}

/* No other process has it, now or later: a number is used again, but not in the same instant. */
static void make_mark(void)
{
    char *outer = getenv(MARK_NAME), own[sizeof guard.mark];
    if (guard.mark[0] != '\0') /* of the process that this one was forked from */
        outer = memcpy(own, guard.mark + sizeof MARK_NAME, sizeof guard.mark - sizeof MARK_NAME);
    int length =
        snprintf(guard.mark, sizeof guard.mark, "%s=%.160s", MARK_NAME, outer != NULL ? outer : "");
    guard.id = guard.mark + length;
    snprintf(guard.mark + length, sizeof guard.mark - (size_t)length, ":%d-%llu:", (int)getpid(),
             (unsigned long long)clock_now_ms());
}

const char *guard_mark(void)
{
    return guard.mark;
}

static void tell(pid_t session, bool is_alive)
{
    const struct message message = {.session = session, .is_alive = is_alive};
    if (guard.socket > 0)
        while (send(guard.socket, &message, sizeof message, MSG_NOSIGNAL) < 0 && errno == EINTR)
            ;
}

/* An ordinary end of this process leaves no orphan for init. */
static void end_guard(void)
{
    if (guard.owner != getpid() || guard.socket <= 0)
        return;
    tell(0, false);
    while (waitpid(guard.pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

void guard_start(void)
{
    static bool ends_at_exit;
    int ends[2];
    if ((guard.socket > 0 && guard.owner == getpid()) ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return;
    make_mark();
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        be_guard(ends[1]);
    }
    close(ends[1]);
    if (guard.socket > 0)
        close(guard.socket); /* of the process that this one was forked from */
    guard.socket = ends[0];
    guard.owner = getpid();
    guard.pid = pid;
    if (!ends_at_exit)
        ends_at_exit = atexit(end_guard) == 0;
    if (pid > 0)
        return;
    close(ends[0]);
    guard.socket = 0;
}

void guard_announce(pid_t session)
{
    tell(session, true);
}

void guard_withdraw(pid_t session)
{
    tell(session, false);
}
