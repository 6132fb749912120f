/* SPDX-License-Identifier: MIT */
/*
 * A user namespace of its own gives it the right to have a network and mounts of its own, and
 * nothing beyond them: the program that is executed has no capability. A control group counts the
 * processes of root, for whom RLIMIT_NPROC does not hold.
 */
#include "mallet/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Those of <sys/mount.h>, which does not go together with the kernel's header. */
int mount(const char *source, const char *target, const char *type, unsigned long flags,
          const void *data);
enum { BIND = 4096, RECURSIVE = 16384, PRIVATE = 1 << 18, WHOLE_TREE = 0x8000 };

/* Threads count as well, and a check runs a step for each processor at a time. */
enum { PROCESSES = 256, PROCESSES_FOR_EACH_PROCESSOR = 64 };

static char group[PATH_MAX]; /* folder of the control group; "": there is none */

static int set_attributes(const char *path, unsigned flags, uint64_t set, uint64_t clear)
{
    struct mount_attr attributes = {.attr_set = set, .attr_clr = clear};
    return (int)syscall(SYS_mount_setattr, -1, path, flags, &attributes, sizeof attributes);
}

/* Everything is read-only but the folder. */
static int mount_folder(const char *folder)
{
    if (mount(NULL, "/", NULL, RECURSIVE | PRIVATE, NULL) != 0 ||
        mount(folder, folder, NULL, BIND, NULL) != 0 ||
        set_attributes("/", WHOLE_TREE, MOUNT_ATTR_RDONLY, 0) != 0 ||
        set_attributes(folder, 0, 0, MOUNT_ATTR_RDONLY) != 0)
        return errno;
    return 0;
}

static unsigned processes_max(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return PROCESSES + PROCESSES_FOR_EACH_PROCESSOR * (unsigned)(processors > 0 ? processors : 1);
}

static void set_limits(void)
{
    const struct {
        int resource;
        rlim_t most;
    } limits[] = {{RLIMIT_CORE, 0},
                  {RLIMIT_FSIZE, (rlim_t)1 << 30},
                  {RLIMIT_NOFILE, 1024},
                  {RLIMIT_NPROC, processes_max()}};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        setrlimit((__rlimit_resource_t)limits[i].resource,
                  &(struct rlimit){limits[i].most, limits[i].most});
}

/* Returns whether all of it arrived. */
static bool write_text(const char *folder, const char *name, const char *text)
{
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    bool is_written = file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text);
    if (file >= 0)
        close(file);
    return is_written;
}

bool sandbox_open(void)
{
    static const char *const roots[] = {"/sys/fs/cgroup/pids", "/sys/fs/cgroup"}; /* v1, v2 */
    char number[16];
    if (geteuid() != 0)
        return true;
    snprintf(number, sizeof number, "%u", processes_max());
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
        snprintf(group, sizeof group, "%s/mallet-%d", roots[i], (int)getpid());
        if (mkdir(group, 0755) == 0 && write_text(group, "pids.max", number))
            return true;
        rmdir(group);
    }
    group[0] = '\0';
    return false;
}

void sandbox_close(void)
{
    enum { TRIES = 100, PAUSE_US = 10000 }; /* what was killed leaves the group a moment later */
    for (unsigned i = 0; group[0] != '\0' && rmdir(group) != 0 && i < TRIES; i++)
        usleep(PAUSE_US);
    group[0] = '\0';
}

int sandbox_enter(const char *folder)
{
    write_text("/proc/self", "oom_score_adj", "1000"); /* a courtesy */
    if (group[0] != '\0' && !write_text(group, "cgroup.procs", "0"))
        return errno;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC) != 0)
        return errno;
    int error = mount_folder(folder);
    if (error != 0)
        return error;
    set_limits();
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return chdir(folder) == 0 ? 0 : errno;
}
