/* SPDX-License-Identifier: MIT */
/* No stdio and no allocation of its own: when the subject is the process's malloc, all of the heap
 * is the subject's. */
#include "harness/job/child.h"

#include "harness/executor/zygote.h"
#include "harness/job/job.h"
#include "harness/subject/child_bind.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* The words of `job HOW WHAT KIND NAME`. */
enum { WORD_HOW = 2, WORD_WHAT, WORD_KIND, WORD_NAME, WORD_ARGUMENTS };

/* The size is the caller's choice. */
static void *map_memory(void)
{
    struct stat status;
    if (fstat(CHILD_MEMORY, &status) != 0 || status.st_size <= JOB_REPORT_OFFSET)
        return NULL;
    void *memory =
        mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, CHILD_MEMORY, 0);
    close(CHILD_MEMORY);
    return memory != MAP_FAILED ? memory : NULL;
}

static bool bind_subject(struct job_header *header, const char *how, const char *what)
{
    struct subject subject;
    if (child_bind(&subject, how, what, header->sentence) != 0)
        return false;
    job_bind(&subject);
    header->offers = subject_offers(&subject);
    header->magic = JOB_MAGIC;
    return true;
}

static _Noreturn void run_job(char **argv)
{
    const struct job *job = job_find(job_kind_find(argv[WORD_KIND]), argv[WORD_NAME]);
    char *memory = map_memory();
    if (job == NULL || memory == NULL)
        _exit(CHILD_EXIT_USAGE);
    if (!bind_subject((struct job_header *)memory, argv[WORD_HOW], argv[WORD_WHAT]))
        _exit(0);
    /* a subject that writes there dies of it, as it should */
    (void)mprotect(memory, JOB_REPORT_OFFSET, PROT_READ);
    errno = 0;
    job->run(job, memory + JOB_REPORT_OFFSET, argv + WORD_ARGUMENTS);
    _exit(0);
}

void child_main(int argc, char **argv)
{
    if (argc == WORD_KIND && strcmp(argv[1], ZYGOTE_WORD) == 0)
        zygote_main(argv[WORD_HOW], argv[WORD_WHAT]);
    if (argc >= WORD_ARGUMENTS && strcmp(argv[1], CHILD_JOB) == 0)
        run_job(argv);
}
