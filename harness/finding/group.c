/* SPDX-License-Identifier: MIT */
/*
 * Causes are compared in two passes: traces first, by equality; then what has no trace looks for a
 * group that explains it, and makes one of its own if there is none.
 *
 * The sentence of a clause is `CALL: expected X, observed Y`; its words tell the effect, and its
 * first name of a function tells where.
 */
#include "harness/finding/group.h"

#include <stdlib.h>
#include <string.h>

/* ---- functions ---- */

/* Functions that an allocator builds on one another. The first one is the core. */
static const char *const families[] = {
    " malloc free free_sized free_aligned_sized ",
    " calloc ",
    " realloc reallocarray ",
    " aligned_alloc posix_memalign memalign valloc pvalloc ",
    " malloc_usable_size usable ",
};
enum {
    FAMILY_COUNT = sizeof families / sizeof families[0],
    CORE = 1 << 0,
    RESIZING = 1 << 2,
    NAME_MAX_LENGTH = 32
};

static unsigned family_of(const char *name, size_t length)
{
    char bounded[NAME_MAX_LENGTH + 3];
    if (length == 0 || length > NAME_MAX_LENGTH)
        return 0;
    snprintf(bounded, sizeof bounded, " %.*s ", (int)length, name);
    for (unsigned i = 0; i < FAMILY_COUNT; i++)
        if (strstr(families[i], bounded) != NULL)
            return 1u << i;
    return 0;
}

/* The first name of a function in a text; a workload has it between underscores. */
static unsigned first_family(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz_";
    for (const char *at = text; *at != '\0';) {
        size_t length = strspn(at, letters);
        unsigned family = family_of(at, length);
        if (family != 0)
            return family;
        at += length + (at[length] != '\0');
    }
    return 0;
}

static unsigned workload_family(const char *name)
{
    return strstr(name, "realloc") != NULL   ? family_of("realloc", 7)
           : strstr(name, "calloc") != NULL  ? family_of("calloc", 6)
           : strstr(name, "aligned") != NULL ? family_of("memalign", 8)
           : strstr(name, "usable") != NULL  ? family_of("usable", 6)
                                             : CORE;
}

/* ---- effects ---- */

static enum effect effect_of_check(enum check check)
{
    static const enum effect effects[CHECK_COUNT] = {
        [CHECK_ALIGNMENT] = EFFECT_ALIGNMENT, [CHECK_IMPOSSIBLE] = EFFECT_IMPOSSIBLE,
        [CHECK_NULL] = EFFECT_NULL,           [CHECK_ERRNO] = EFFECT_ERRNO,
        [CHECK_RECOVERY] = EFFECT_RECOVERY,   [CHECK_FOOTPRINT] = EFFECT_FOOTPRINT,
        [CHECK_SCALING] = EFFECT_SCALING,     [CHECK_PROGRESS] = EFFECT_PROGRESS,
        [CHECK_POLICY] = EFFECT_POLICY,       [CHECK_HEAP] = EFFECT_HEAP,
        [CHECK_USABLE] = EFFECT_USABLE,
    };
    return effects[check]; /* the others are EFFECT_MEMORY, which is 0 */
}

/* The first row one of whose words the sentence has decides. */
static const struct {
    const char *words; /* separated by | */
    enum effect effect;
    bool is_anywhere; /* the function that died is not the one at fault */
} sentences[] = {
    {"died of signal|death by signal|observed signal|damage|a crash|called exit(", EFFECT_MEMORY,
     true},
    {"CPU time without|CPU time in it|stood still|deadlock|none of it in", EFFECT_PROGRESS, true},
    {"as they were written|bytes written|apart from the live|to alternate|that byte", EFFECT_MEMORY,
     false},
    {"released, observed|expected no growth|resident bytes|less resident", EFFECT_FOOTPRINT, false},
    {"a multiple of", EFFECT_ALIGNMENT, false},
    {"expected a block, observed NULL", EFFECT_NULL, false},
    {"(ENOMEM), observed the result 0", EFFECT_IMPOSSIBLE, false},
    {"errno kept|errno unchanged|observed NULL with|observed NULL and errno|(EINVAL), observed 0",
     EFFECT_ERRNO, false},
    {"expected NULL", EFFECT_IMPOSSIBLE, false},
    {"observed NULL", EFFECT_NULL, false},
    {"zeros", EFFECT_MEMORY, false},
};

static bool has_word(const char *sentence, const char *words)
{
    char word[64];
    for (const char *at = words, *end; at != NULL; at = *end == '|' ? end + 1 : NULL) {
        end = at + strcspn(at, "|");
        snprintf(word, sizeof word, "%.*s", (int)(end - at), at);
        if (strstr(sentence, word) != NULL)
            return true;
    }
    return false;
}

/* Whether the sentence has a number of bytes that may well be refused. */
static bool has_huge_number(const char *sentence)
{
    static const char digits[] = "0123456789";
    for (const char *at = strpbrk(sentence, digits); at != NULL; at = strpbrk(at, digits)) {
        if (strtoull(at, NULL, 10) >= CAUSE_IMPOSSIBLE)
            return true;
        at += strspn(at, "0123456789abcdefx"); /* addresses too */
    }
    return false;
}

static void read_sentence(const char *sentence, struct cause *cause)
{
    cause->effect = EFFECT_OTHER;
    cause->fails = has_huge_number(sentence) ||
                   has_word(sentence, "expected NULL|address space left|RLIMIT|MiB more");
    cause->functions = cause->named = first_family(sentence);
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++) {
        if (!has_word(sentence, sentences[i].words))
            continue;
        cause->effect = sentences[i].effect;
        if (sentences[i].is_anywhere)
            cause->functions = 0;
        return;
    }
}

/* ---- causes ---- */

/* The size of the block in the op's slot before the op; op->size if there is none. */
static uint64_t size_before(const struct trace *trace, const struct trace_op *op)
{
    for (const struct trace_op *earlier = op; earlier-- > trace->ops;)
        if (earlier->slot == op->slot &&
            (trace_op_traits((enum op_kind)earlier->kind) & OP_HAS_SIZE) != 0)
            return trace_op_total(earlier);
    return trace_op_total(op);
}

static void read_sizes(const struct trace *trace, const struct trace_op *op, struct cause *cause)
{
    const uint64_t page = 4096;
    unsigned traits = trace_op_traits((enum op_kind)op->kind);
    if ((traits & OP_HAS_SIZE) == 0)
        return;
    cause->is_large |= trace_op_total(op) >= CAUSE_LARGE;
    cause->fails |= trace_op_total(op) >= CAUSE_IMPOSSIBLE;
    if ((traits & OP_USES) != 0) {
        cause->grows |= trace_op_total(op) > size_before(trace, op);
        cause->shrinks |= trace_op_total(op) < size_before(trace, op);
    }
    if ((traits & OP_HAS_ALIGNMENT) != 0) {
        cause->is_large |= op->extra >= CAUSE_LARGE;
        cause->is_beyond |= op->extra > page;
        cause->is_zero |= op->size == 0;
        cause->needs_odd_alignment |= op->extra > page || !trace_op_is_alignment_valid(op);
    }
}

/* Of the functions that a trace needs; of one that needs none, the core. */
static void read_trace(const struct trace *trace, struct cause *cause)
{
    for (size_t i = 0; i < trace->count; i++) {
        const struct trace_op *op = &trace->ops[i];
        const char *name = trace_op_name((enum op_kind)op->kind);
        unsigned traits = trace_op_traits((enum op_kind)op->kind);
        cause->functions |= family_of(name, strcspn(name, " "));
        cause->needs_threads |= (traits & OP_PASSES_TOKEN) != 0;
        cause->needs_exit |= op->kind == OP_THREAD_EXIT;
        cause->needs_fork |= op->kind == OP_FORK;
        cause->needs_break |= op->kind == OP_SBRK;
        if (op->kind == OP_FAIL_OS && i + 1 < trace->count)
            cause->refused = 1u << trace->ops[i + 1].kind;
        cause->fails |= cause->refused != 0;
        read_sizes(trace, op, cause);
    }
    if (cause->functions != CORE)
        cause->functions &= ~(unsigned)CORE;
    if (cause->functions == 0)
        cause->functions = CORE;
}

/* Clauses about calls of several threads, by their identifiers. */
static bool is_about_threads(const char *clause)
{
    return strstr(clause, "-thread-") != NULL || strncmp(clause, "C23-7.1.4-p5", 12) == 0 ||
           strncmp(clause, "C23-7.24.3-p2-", 14) == 0;
}

struct cause finding_cause(const struct finding *finding)
{
    struct cause cause = {.has_trace = finding->trace.count > 0};
    enum check check = check_find(finding->check);
    const char *place = check == CHECK_COUNT ? finding->sentence : finding->site;
    cause.is_release = strncmp(place, "free", 4) == 0;
    const char *workload = strstr(finding->site, "growth/");
    bool is_clause = check == CHECK_COUNT;
    cause.exits = finding_is_exit(finding->sentence);
    cause.is_about_fork = strstr(is_clause ? finding->check : finding->site, "fork") != NULL;
    /* the child of a fork that hangs waits for a lock */
    cause.is_blocked = has_word(finding->sentence, "threads are blocked|stood still") ||
                       (cause.is_about_fork && has_word(finding->sentence, "deadlock"));
    if (is_clause) {
        read_sentence(finding->sentence, &cause);
        cause.is_concurrent = is_about_threads(finding->check);
        return cause;
    }
    cause.effect = effect_of_check(check);
    cause.is_concurrent = strncmp(finding->site, "torture/", 8) == 0;
    if (check == CHECK_RECOVERY && strstr(finding->sentence, "failed with only") != NULL)
        cause.effect = EFFECT_NULL; /* which may be so without a refusal too */
    cause.is_workload = workload != NULL && !cause.has_trace;
    if (cause.has_trace)
        read_trace(&finding->trace, &cause);
    else if (workload != NULL)
        cause.functions = workload_family(workload);
    else if (cause.effect != EFFECT_MEMORY)
        cause.functions = family_of(finding->site, strlen(finding->site));
    return cause;
}

/* ---- groups ---- */

/* Traces of malloc and free alone are told apart by more: damage to them has many causes. */
static bool is_same_core(const struct cause *left, const struct cause *right)
{
    return left->functions != CORE ||
           (left->refused == right->refused && left->is_large == right->is_large);
}

/* A realloc that is wrong in both directions shrinks to one of them, so only opposite ones tell. */
static bool is_same_direction(const struct cause *left, const struct cause *right)
{
    return (left->grows && right->grows) || (left->shrinks && right->shrinks) ||
           !(left->grows || left->shrinks) || !(right->grows || right->shrinks);
}

/* What is misaligned for all is so for the simplest, whose alignment is small and whose size not
 * 0. */
static bool is_same_alignment(const struct cause *left, const struct cause *right)
{
    return left->effect != EFFECT_ALIGNMENT ||
           (left->is_zero == right->is_zero && left->is_beyond == right->is_beyond &&
            left->is_large == right->is_large);
}

/* Damage by calls of several threads: in which function it shows is chance. */
static bool is_race(const struct cause *cause)
{
    return cause->is_concurrent && cause->effect == EFFECT_MEMORY && !cause->has_trace;
}

static bool is_same_errno(const struct cause *left, const struct cause *right)
{
    return left->effect != EFFECT_ERRNO || left->is_release == right->is_release;
}

static bool is_same_cause(const struct cause *left, const struct cause *right)
{
    if (is_race(left) && is_race(right))
        return true;
    return is_same_errno(left, right) && left->effect == right->effect &&
           left->exits == right->exits && left->effect != EFFECT_OTHER &&
           left->has_trace == right->has_trace && left->functions == right->functions &&
           left->needs_threads == right->needs_threads && left->needs_exit == right->needs_exit &&
           left->needs_fork == right->needs_fork && left->needs_break == right->needs_break &&
           (left->fails == right->fails || left->effect == EFFECT_ALIGNMENT ||
            left->effect == EFFECT_NULL) &&
           is_same_core(left, right) && is_same_direction(left, right) &&
           is_same_alignment(left, right);
}

/* Whether calls of malloc and free alone, of which none has to fail, show it: nothing works on such
 * a heap. */
static bool is_plain(const struct cause *cause)
{
    return (cause->has_trace || cause->is_workload) && cause->functions == CORE &&
           !cause->needs_threads && !cause->needs_fork && !cause->needs_break && !cause->fails;
}

/* Whether what the trace needs may be there in the finding too. */
static bool has_needs(const struct cause *shown, const struct cause *finding)
{
    unsigned functions = finding->functions | finding->named;
    bool is_fatal = shown->effect == EFFECT_MEMORY || shown->effect == EFFECT_PROGRESS;
    if (shown->needs_break || (is_fatal && shown->fails && !finding->fails))
        return false;
    if (shown->needs_fork && !finding->is_about_fork)
        return false;
    if (shown->needs_threads && !finding->is_concurrent && !finding->is_about_fork)
        return false;
    return !shown->needs_odd_alignment || (functions & shown->functions) != 0;
}

/* Damage makes a thread loop or die; threads that wait for one another have a cause of their own.
 * How well a trace, or a workload, explains a finding that has no trace; 0: not at all. What only a
 * call that must fail shows explains nothing of other functions. */
static unsigned explains(const struct cause *shown, const struct cause *finding)
{
    bool is_of_effect = shown->effect == finding->effect && shown->effect != EFFECT_OTHER &&
                        shown->exits == finding->exits;
    if ((shown->has_trace && !has_needs(shown, finding)) || !is_same_errno(shown, finding))
        return 0;
    bool spoils_all = is_plain(shown) && shown->effect == EFFECT_MEMORY &&
                      finding->effect == EFFECT_PROGRESS && !finding->is_blocked;
    if (!is_of_effect && !spoils_all)
        return 0;
    if (shown->is_workload)
        return is_plain(shown) && shown->effect == EFFECT_MEMORY && !finding->is_workload ? 1 : 0;
    if (!shown->has_trace)
        return 0;
    if ((shown->functions & (finding->functions | finding->named)) != 0)
        return 4;
    if (is_plain(shown))
        return 3;
    if (shown->effect == EFFECT_IMPOSSIBLE && shown->functions == CORE &&
        finding->functions == RESIZING)
        return 1; /* a realloc that moves a block asks malloc */
    return finding->functions == 0 && !shown->fails ? 2 : 0;
}

/* A call that fails without need does not set errno either: the same calls show both. */
static bool is_same_failure(const struct cause *left, const struct cause *right,
                            const struct trace *one, const struct trace *other)
{
    return left->has_trace && right->has_trace && one->count == other->count &&
           (left->effect == EFFECT_NULL || right->effect == EFFECT_NULL) &&
           (left->effect == EFFECT_ERRNO || right->effect == EFFECT_ERRNO) &&
           memcmp(one->ops, other->ops, one->count * sizeof *one->ops) == 0;
}

static size_t find_equal(const struct finding *findings, const struct cause *causes, size_t i)
{
    size_t j = 0;
    while (j < i && !is_same_cause(&causes[j], &causes[i]) &&
           !is_same_failure(&causes[j], &causes[i], &findings[j].trace, &findings[i].trace))
        j++;
    return j;
}

static size_t find_explanation(const struct cause *causes, size_t count, size_t i)
{
    size_t best = count;
    for (size_t j = 0; j < count; j++)
        if (explains(&causes[j], &causes[i]) >
            (best < count ? explains(&causes[best], &causes[i]) : 0))
            best = j;
    return best;
}

size_t findings_group(const struct finding *findings, size_t count, size_t *ret_group)
{
    struct cause *causes = calloc(count + 1, sizeof *causes);
    size_t *first = calloc(count + 1, sizeof *first), groups = 0; /* finding of the same group */
    for (size_t i = 0; causes != NULL && i < count; i++)
        causes[i] = finding_cause(&findings[i]);
    for (size_t i = 0; causes != NULL && first != NULL && i < count; i++) {
        size_t explanation = causes[i].has_trace ? count : find_explanation(causes, count, i);
        first[i] = find_equal(findings, causes, explanation < count ? explanation : i);
    }
    for (size_t i = 0; i < count; i++)
        ret_group[i] = SIZE_MAX;
    for (size_t i = 0; i < count; i++) {
        size_t leader = first != NULL ? first[i] : i;
        if (ret_group[leader] == SIZE_MAX)
            ret_group[leader] = groups++;
        ret_group[i] = ret_group[leader];
    }
    free(causes);
    free(first);
    return groups;
}

enum severity finding_severity(const struct finding *finding)
{
    static const enum check examples[] = {
        [EFFECT_MEMORY] = CHECK_CONTENT,      [EFFECT_HEAP] = CHECK_HEAP,
        [EFFECT_USABLE] = CHECK_USABLE,       [EFFECT_PROGRESS] = CHECK_PROGRESS,
        [EFFECT_ALIGNMENT] = CHECK_ALIGNMENT, [EFFECT_IMPOSSIBLE] = CHECK_IMPOSSIBLE,
        [EFFECT_NULL] = CHECK_NULL,           [EFFECT_ERRNO] = CHECK_ERRNO,
        [EFFECT_POLICY] = CHECK_POLICY,       [EFFECT_RECOVERY] = CHECK_RECOVERY,
        [EFFECT_FOOTPRINT] = CHECK_FOOTPRINT, [EFFECT_SCALING] = CHECK_SCALING,
        [EFFECT_OTHER] = CHECK_COUNT, /* a wrong result */
    };
    enum check check = check_find(finding->check);
    return check_severity(check < CHECK_COUNT ? check : examples[finding_cause(finding).effect]);
}

/* A trace of plain calls says more than a shorter one with a fork, a second thread or a refusal. */
static bool has_plain_trace(const struct finding *finding)
{
    for (size_t i = 0; i < finding->trace.count; i++) {
        enum op_kind kind = (enum op_kind)finding->trace.ops[i].kind;
        if (kind == OP_FORK || kind == OP_FAIL_OS || (trace_op_traits(kind) & OP_PASSES_TOKEN) != 0)
            return false;
    }
    return finding->trace.count > 0;
}

bool finding_leads(const struct finding *first, const struct finding *second)
{
    bool counts = finding_note(first) == NULL, other_counts = finding_note(second) == NULL;
    bool has_trace = first->trace.count > 0, other_has = second->trace.count > 0;
    bool is_plain = has_plain_trace(first), other_is_plain = has_plain_trace(second);
    if (counts != other_counts)
        return counts;
    if (is_plain != other_is_plain)
        return is_plain;
    if (has_trace != other_has)
        return has_trace;
    if (finding_severity(first) != finding_severity(second))
        return finding_severity(first) < finding_severity(second);
    return first->trace.count < second->trace.count;
}
