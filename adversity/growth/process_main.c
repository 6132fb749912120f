/* SPDX-License-Identifier: MIT */
/*
 * mallet-growth: the process that runs one shape on one subject. It allocates nothing of its own:
 * where the subject is the process's malloc, all of the heap is the subject's. argv: HOW WHAT SHAPE
 * MODE ROUNDS-or-COUNT SIZE, as growth_process writes them.
 */
#include "adversity/growth/process.h"

#include "adversity/growth/shape.h"
#include "harness/subject/child_bind.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct subject_calls calls;
static struct subject subject;

uint64_t kit_held(void)
{
    return subject.footprint != NULL ? subject.footprint() : 0;
}

static bool bind_subject(const char *how, const char *what)
{
    if (child_bind(&subject, how, what, kit_report->sentence) != 0)
        return false;
#define CALL(name, result, parameters) calls.name = subject.calls.name;
    SUBJECT_CALLS(CALL)
#undef CALL
    kit_report->magic = REPORT_MAGIC;
    return true;
}

_Static_assert((int)REPORT_SENTENCE_MAX >= (int)SUBJECT_ERROR_MAX,
               "the reason why a subject cannot be bound fits a report");

int main(int argc, char **argv)
{
    const struct shape *shape = argc == 7 ? shapes_find(argv[3]) : NULL;
    void *memory =
        mmap(NULL, sizeof *kit_report, PROT_READ | PROT_WRITE, MAP_SHARED, GROWTH_REPORT, 0);
    if (shape == NULL || memory == MAP_FAILED)
        _exit(2);
    kit_report = memory;
    close(GROWTH_REPORT);
    if (!bind_subject(argv[1], argv[2]))
        _exit(0);
    size_t count = strtoul(argv[5], NULL, 10), size = strtoul(argv[6], NULL, 10);
    if (shape->kind == SHAPE_FOOTPRINT)
        measure_footprint(shape, (unsigned)count, (unsigned)size);
    else
        measure_scaling(shape, count, size, strcmp(argv[4], GROWTH_COUNTING) == 0);
    _exit(0);
}
