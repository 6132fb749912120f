/* SPDX-License-Identifier: MIT */
/*
 * A user namespace of its own gives it the right to have a network and mounts of its own, and
 * nothing beyond them: the program that is executed has no capability.
 */
#include "mallet/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Those of <sys/mount.h>, which does not go together with the kernel's header. */
int mount(const char *source, const char *target, const char *type, unsigned long flags,
          const void *data);
enum { BIND = 4096, RECURSIVE = 16384, PRIVATE = 1 << 18, WHOLE_TREE = 0x8000 };

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

static void set_limits(void)
{
    static const struct {
        int resource;
        rlim_t most;
    } limits[] = {{RLIMIT_CORE, 0},
                  {RLIMIT_FSIZE, (rlim_t)1 << 30},
                  {RLIMIT_NOFILE, 1024},
                  {RLIMIT_NPROC, 1024}};
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        setrlimit((__rlimit_resource_t)limits[i].resource,
                  &(struct rlimit){limits[i].most, limits[i].most});
}

int sandbox_enter(const char *folder)
{
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) {
        if (write(score, "1000", 4) != 4)
            errno = 0; /* it is a courtesy */
        close(score);
    }
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWIPC) != 0)
        return errno;
    int error = mount_folder(folder);
    if (error != 0)
        return error;
    set_limits();
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return chdir(folder) == 0 ? 0 : errno;
}
