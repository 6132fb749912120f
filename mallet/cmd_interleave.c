/* SPDX-License-Identifier: MIT */
/*
 * interleave: runs mallet-interleave, which stands beside this program. It is a program of its own
 * because it contains anvil as compiled for the scheduler.
 */
#include "harness/base/proc.h"
#include "harness/subject/subject_plan.h"
#include "mallet/command.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int command_interleave(int argc, char **argv)
{
    char folder[1024], path[1100];
    (void)argc;
    if (!proc_own_folder(folder, sizeof folder))
        return report_internal_error("cannot tell which folder this program is in");
    snprintf(path, sizeof path, "%s/mallet-interleave", folder);
    execv(path, argv);
    return refuse("cannot run %s: %s (not built with a sanitizer, an engine or coverage)", path,
                  strerror(errno));
}
