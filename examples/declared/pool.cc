// SPDX-License-Identifier: MIT
//
// Operator new and delete over a pool, as a C++ program might bring them: blocks of a power of two,
// a header in front of each, larger ones in a mapping of their own. No malloc of its own:
// pool.declare says how traces call it.
//
//     | length | unused | block … |      operator new(size); length: of the whole
//     | … | block of new | block … |     operator new(size, alignment): the word in front of the
//                                        block is what delete has to get
//
// One lock guards all; over a fork it is held, so that the child finds the lists whole.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <new>
#include <pthread.h>
#include <sys/mman.h>
#include <utility>

namespace {

constexpr std::size_t header = 16, smallest = 32, largest = 64 << 10, chunk = 1 << 20;

struct Free {
    std::size_t length;
    Free *next;
};

std::mutex lock;
Free *lists[16];     // by class: blocks of smallest << class bytes
Free *kept;          // mappings that the system did not take back
char *fresh, *limit; // of the newest chunk

unsigned class_of(std::size_t length)
{
    unsigned index = 0;
    while (smallest << index < length)
        index++;
    return index;
}

void *map(std::size_t length)
{
    void *start = mmap(nullptr, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return start != MAP_FAILED ? start : nullptr;
}

void *take_small(unsigned index)
{
    std::size_t length = smallest << index;
    if (Free *block = lists[index]; block != nullptr) {
        lists[index] = block->next;
        return block;
    }
    if (static_cast<std::size_t>(limit - fresh) < length) {
        void *start = map(chunk); // what was left of the chunk before is lost
        if (start == nullptr)
            return nullptr;
        fresh = static_cast<char *>(start);
        limit = fresh + chunk;
    }
    return std::exchange(fresh, fresh + length);
}

void *take_large(std::size_t length)
{
    for (Free **link = &kept; *link != nullptr; link = &(*link)->next)
        if (Free *mapping = *link; mapping->length >= length && mapping->length / 2 <= length) {
            *link = mapping->next;
            return mapping;
        }
    void *start = map(length);
    if (start != nullptr)
        static_cast<Free *>(start)->length = length;
    return start;
}

void give_back_kept()
{
    while (kept != nullptr) {
        Free *next = kept->next;
        if (munmap(kept, kept->length) != 0)
            return;
        kept = next;
    }
}

void *take(std::size_t size)
{
    if (size > PTRDIFF_MAX - 4096 - header)
        return nullptr;
    std::size_t length = size + header;
    std::lock_guard guard(lock);
    if (length > largest) {
        void *start = take_large((length + 4095) / 4096 * 4096);
        return start != nullptr ? static_cast<char *>(start) + header : nullptr;
    }
    unsigned index = class_of(length);
    auto *block = static_cast<Free *>(take_small(index));
    if (block == nullptr)
        return nullptr;
    block->length = smallest << index;
    return reinterpret_cast<char *>(block) + header;
}

void give(void *block, std::size_t length)
{
    auto *whole = reinterpret_cast<Free *>(static_cast<char *>(block) - header);
    std::lock_guard guard(lock);
    if (length > largest) {
        whole->next = kept;
        kept = whole;
        give_back_kept();
        return;
    }
    unsigned index = class_of(length);
    whole->next = lists[index];
    lists[index] = whole;
}

[[gnu::constructor]] void watch_forks()
{
    auto hold = [] { lock.lock(); };
    auto let_go = [] { lock.unlock(); };
    pthread_atfork(hold, let_go, let_go);
}

} // namespace

void *operator new(std::size_t size)
{
    void *block = take(size);
    if (block == nullptr)
        throw std::bad_alloc();
    return block;
}

void operator delete(void *block) noexcept
{
    if (block != nullptr)
        give(block, reinterpret_cast<std::size_t *>(block)[-2]);
}

// The size says the class, so that the header need not be read.
void operator delete(void *block, std::size_t size) noexcept
{
    if (block != nullptr)
        give(block, size + header);
}

void *operator new(std::size_t size, std::align_val_t alignment)
{
    std::size_t step = std::max(static_cast<std::size_t>(alignment), header);
    if (step > PTRDIFF_MAX || size > PTRDIFF_MAX - step)
        throw std::bad_alloc();
    void *whole = operator new(size + step);
    auto start = (reinterpret_cast<std::uintptr_t>(whole) + step) & ~(step - 1);
    reinterpret_cast<void **>(start)[-1] = whole;
    return reinterpret_cast<void *>(start);
}

void operator delete(void *block, std::align_val_t) noexcept
{
    if (block != nullptr)
        operator delete(static_cast<void **>(block)[-1]);
}

void operator delete(void *block, std::size_t, std::align_val_t alignment) noexcept
{
    operator delete(block, alignment);
}
