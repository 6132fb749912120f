/* SPDX-License-Identifier: MIT */
/*
 * The memory that the malloc lab gives to mm.c: one heap that only grows, by mem_sbrk. It has
 * MEM_HEAP_MAX bytes of address space; what was not asked for cannot be touched.
 */
#ifndef MEMLIB_H
#define MEMLIB_H

#include <stddef.h>

void mem_init(void); /* before any other; once more has no effect */
void mem_deinit(void);
/* Extends the heap by increment bytes and returns where they begin; (void *)-1 with ENOMEM if there
 * are none, or if increment is negative. */
void *mem_sbrk(int increment);
void mem_reset_brk(void); /* the heap is empty again */
void *mem_heap_lo(void);  /* its first byte */
void *mem_heap_hi(void);  /* its last byte; before the first one if it is empty */
size_t mem_heapsize(void);
size_t mem_pagesize(void);

#endif
