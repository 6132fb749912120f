/* SPDX-License-Identifier: MIT */
/*
 * The mutants of the plain heap: each is the correct allocator of heap.c and malloc.c with one
 * line wrong, as a shared object of its own, and a trace (<name>.trace) that shows it. They prove
 * that each check can fail.
 *
 * Registered here and nowhere else, one a line: name, the check that must name it, what is broken
 * and the real bug it is modelled on. C reads the list as a macro, CMake by its lines.
 */
#ifndef MUTANTS_HEAP_LIST_H
#define MUTANTS_HEAP_LIST_H

/* clang-format off */
#define HEAP_MUTANTS(MUTANT) \
    MUTANT(upper_stays_linked, overlap, "free between two free neighbours leaves the upper one in its bin; three ordered frees show it; after jemalloc#437") \
    MUTANT(bin_overflow, overlap, "a chunk coalesced to 128 KiB or more goes one past the last bin, over the top pointer; after talc PR#49, where free gaps from a size on are misread") \
    MUTANT(memalign_page, alignment, "an alignment above a page is taken as a page; after SlimGuard#5 and osv#1304") \
    MUTANT(round_to_8, alignment, "chunk sizes are rounded to 8 bytes instead of 16; after glibc BZ#6527") \
    MUTANT(usable_with_header, content, "malloc_usable_size counts the header of the next block; after osv#1077") \
    MUTANT(grow_down_early_split, content, "realloc into a free lower neighbour cuts off the rest before it has moved the data; after the in-place realloc fixed in jemalloc 2.0.0") \
    MUTANT(asked_stays_old, content, "realloc that grows in place does not note the new size, so the next one copies too little; after rpmalloc PR#112") \
    MUTANT(realloc_aligned_offset, content, "realloc of an aligned mapping copies from the start of the mapping; after gperftools#467") \
    MUTANT(calloc_trusts_large, zeroed, "calloc of 64 KiB and more takes recycled memory as fresh; after zerovm#86") \
    MUTANT(trim_rounds_down, zeroed, "giving back the top keeps a part of a page dirty and takes it as zero; after NyuziProcessor#164") \
    MUTANT(usable_of_aligned, usable, "malloc_usable_size of an aligned mapping subtracts the padding twice; after mimalloc#231") \
    MUTANT(usable_with_neighbour, usable, "malloc_usable_size counts a free upper neighbour; after liballocs#159") \
    MUTANT(request_32_bits, usable, "a request is narrowed to 32 bits; after umm_malloc#62") \
    MUTANT(mapping_short, usable, "a mapping just below a page multiple has no room for its header; after musl b761bd19") \
    MUTANT(calloc_wrap, impossible, "calloc does not see that its product wraps; after FreeRTOS CVE-2021-32020") \
    MUTANT(near_size_max, impossible, "rounding up a size near SIZE_MAX wraps; after glibc BZ#22375") \
    MUTANT(memalign_2m, null, "posix_memalign with an alignment of 2 MiB or more fails; after mimalloc#577") \
    MUTANT(memalign_writes_early, null, "posix_memalign writes to its out-parameter before it knows whether it fails; POSIX forbids it, no known bug is the model") \
    MUTANT(realloc_first, null, "realloc as the first call misses the set-up; after hardened_malloc 903cba5") \
    MUTANT(free_large_errno, errno, "free of a large block changes errno; after hardened_malloc d3152b8") \
    MUTANT(realloc_no_enomem, errno, "a realloc that fails leaves errno unset; after snmalloc#461") \
    MUTANT(realloc_fails_freeing, kept, "a realloc that fails has freed the old block; the most common bug of hand-written reallocs") \
    MUTANT(realloc_leaks, footprint, "realloc that moves does not free the old block; after the leaks on rare paths fixed in jemalloc 4.1.1") \
    MUTANT(free_list_cycle, progress, "a chunk that grows within its bin is put in twice: the list bites its tail; after linked-list-allocator#70") \
    MUTANT(malloc_zero_flips, policy, "every other malloc(0) returns NULL; after mimalloc#574, where zero-sized calls disagreed") \
    MUTANT(stale_boundary, heap, "realloc that grows into the upper neighbour leaves the boundary tag above as it was; after emscripten#10363") \
    MUTANT(unlink_last, crash, "taking the last of several chunks from a bin writes through NULL; after jemalloc 12311fe6") \
    MUTANT(oom_poisons, recovery, "once the system refused a mapping, nothing is asked of it again; no known bug is the model") \
    MUTANT(commit_fails_for_good, recovery, "a heap that could not grow counts as full for ever; after gperftools#305, a wrong NULL after a failed growth") \
    MUTANT(munmap_fail_loses_block, recovery, "a mapping that the system did not take back is forgotten; after the leaks on failure paths fixed in jemalloc 4.1.1") \
    MUTANT(munmap_fail_loses_later, recovery, "a mapping that the system did not take back is forgotten if it ever took one back; after tcmalloc 2.10, which loses by a refused madvise what it would not if all were refused") \
    MUTANT(munmap_fail_sets_errno, errno, "free changes errno when the system does not take the block back; after musl 2010df0d") \
    MUTANT(oom_errno_wrong, errno, "what the system refuses is reported as EAGAIN; after hardened_malloc a6a798d and snmalloc#461") \
    MUTANT(oom_small_block, usable, "where a mapping is refused, a block too small is returned; after jemalloc#241") \
    MUTANT(oom_frees_old, kept, "realloc gives the old block back although the system refused the new one; as realloc_fails_freeing, and seen only where memory is short") \
    MUTANT(oom_calloc_dirty, zeroed, "calloc takes recycled memory, the fallback for a refused mapping, as fresh; after zerovm#86") \
    MUTANT(oom_keeps_lock, progress, "a lock is not given back where a mapping is refused; after the missing unlock in jemalloc's initialisation, 4.2.1") \
    MUTANT(oom_half_grown, heap, "the size of the topmost chunk is noted before the system has granted its memory; after jemalloc 4.0.0, a cache corrupt after a failed fill") \
    MUTANT(commit_unchecked, crash, "that the heap could not grow goes unseen; after mimalloc 6c3d75a3") \
    MUTANT(remote_free_lost, footprint, "a block that another thread frees is never used again; after mimalloc#1117") \
    MUTANT(thread_cache_lost, footprint, "what a thread keeps for itself is lost at its exit; after glibc BZ#22111") \
    MUTANT(thread_exit_purges, content, "the exit of a thread discards the last mapping that it made, live or not; after glibc BZ#17730") \
    MUTANT(errno_of_first, errno, "errno is that of the thread that came first; no known bug is the model") \
    MUTANT(fork_shares, content, "parent and child of a fork share the heap; no known bug is the model") \
    MUTANT(fork_drops_heap, crash, "the child of a fork gives the heap back, its blocks with it; after snmalloc#630, without protection at fork")
/* clang-format on */

#endif
