/* SPDX-License-Identifier: MIT */
/* What mallet and its torture child agree on, beyond the report of kit.h. */
#ifndef TORTURE_CHILD_H
#define TORTURE_CHILD_H

#include "adversity/torture/kit.h"

enum { TORTURE_REPORT = 3, TORTURE_EXIT_USAGE = 78 };

#endif
