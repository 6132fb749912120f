/* SPDX-License-Identifier: MIT */
/*
 * A subject as a person typed it, resolved: all that is needed to start a child program that binds
 * it. Nothing else in the project parses a subject's name.
 *
 *   typed ─ subject_resolve ─→ plan ─ executor_start ─→ plan with what the subject offers
 *                                    └ subject_plan_whole_process ─→ the same, preloaded
 *
 * What can be typed: "anvil[:OPTIONS]"; the name of a catalog entry; the path of a shared object,
 * or its name in the current folder; the path of a program mallet-conform*, which brings its libc.
 *
 * For the caller's side, before a subject is bound: it reads folders and uses malloc.
 */
#ifndef HARNESS_SUBJECT_PLAN_H
#define HARNESS_SUBJECT_PLAN_H

#include "harness/subject/subject.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum subject_binding {
    BIND_AUTO,   /* by the subject's name: see catalog.h */
    BIND_STATIC, /* anvil, under its prefix */
    BIND_DLOPEN,
    BIND_DLMOPEN,
    BIND_PRELOAD, /* LD_PRELOAD over the whole process */
    BIND_HOST     /* the libc that the child program itself runs on */
};
/* "static", "dlopen", …, NULL beyond the last, and back; subject_binding_find returns -1 for an
 * unknown name. A child
 * program is told its binding by this name. */
const char *subject_binding_name(unsigned binding);
int subject_binding_find(const char *name);

/* How much of a process is to be the subject's. */
enum subject_scope {
    SUBJECT_IN_PROCESS, /* its functions are called, beside the C library's own */
    /* also what the C library allocates, where the subject can be preloaded */
    SUBJECT_WHOLE_PROCESS
};

#define SUBJECT_32_BIT "-32"

struct subject_plan {
    char name[64];                /* short, for people: "anvil", "jemalloc", "libyours.so" */
    char spec[PATH_MAX];          /* resolved: "anvil[:OPTIONS]", "glibc", "musl" or a path */
    enum subject_binding binding; /* never BIND_AUTO */
    char what[PATH_MAX];          /* child_bind's: a path, anvil's options, or "" */
    char environment[PATH_MAX];   /* one more "NAME=value" for the child, or "" */
    const char *suffix; /* of the child program's name: "", "-anvil", "-musl", or SUBJECT_32_BIT */
    char program[PATH_MAX]; /* the child program that was typed, or "" */
    unsigned offers;        /* as subject_offers; 0 until the subject was bound */
    uint64_t capacity;      /* bytes that it can hold; 0: no limit, or not known */
    uint64_t blocks;        /* that it can hold at a time; likewise */
};

/* Resolves what was typed. Whole process: a shared object is preloaded unless another binding is
 * asked for. Returns 0, or a positive errno with one sentence in `error`: ENOENT if nothing has
 * that name, EINVAL if it cannot be bound in the way asked for. A name implies its binding: anvil
 * is static (or, for the whole process, preloaded) and a libc is the host. */
int subject_resolve(struct subject_plan *ret_plan, const char *typed, enum subject_binding wanted,
                    enum subject_scope scope, char error[SUBJECT_ERROR_MAX]);

/* The OPTIONS of "anvil[:OPTIONS]"; NULL if another subject was typed. */
const char *subject_anvil_options(const char *typed);

/* The malloc that `program`, a child program, is linked with. */
struct subject_plan subject_plan_host(const char *name, const char *program);

/* The same subject in a process that is all its own: a shared object is preloaded, and so is
 * anvil's, with its options in the environment. A libc is so anyway. Returns false if the object
 * to preload cannot be read; ret_plan is filled all the same. */
bool subject_plan_whole_process(const struct subject_plan *plan, struct subject_plan *ret_plan);

/* Whether the C library can live on a subject that offers these: it would mix its own calloc and
 * realloc with a malloc of the subject that comes without them, and has threads and types of 16
 * bytes. */
bool subject_plan_serves_process(unsigned offers);

/* What a compiler needs to make programs for it: "-m32", or NULL. */
const char *subject_plan_compile_option(const struct subject_plan *plan);

/* What LD_PRELOAD must name; NULL: nothing. */
const char *subject_plan_preload(const struct subject_plan *plan);

/* The child program for the plan: the one that was typed, or mallet-child with the plan's suffix
 * beside this executable. False if the system does not tell where that is. */
bool subject_plan_program(const struct subject_plan *plan, char ret_path[PATH_MAX]);

#endif
