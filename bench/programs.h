/* SPDX-License-Identifier: MIT */
/* Real programs with fixed inputs. Their whole process is measured. */
#ifndef BENCH_PROGRAMS_H
#define BENCH_PROGRAMS_H

#include "bench/workloads.h"

/* NULL beyond the last. */
const struct bench_workload *bench_program_at(size_t i);

#endif
