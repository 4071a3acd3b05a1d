// SPDX-License-Identifier: MIT
/*
 * calls SEED N: N random calls of everything that allocates, with sizes and alignments that are odd, nothing,
 * too much or wrong.  Prints a line a call: what was called, and whether it gave a block, how aligned, with
 * what errno, and whether contents were kept.  Then, as `model` does, a line a site: allocations, bytes, frees,
 * reallocations, temporary, blocks and bytes at the end, and at the peak.
 */
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <malloc.h>
#include <new>
#include <unistd.h>

enum { SITES = 8, SLOTS = 512, FILLED = 512, SENTINEL = 4711 };

#define FUNCTIONS(X)                                                                                         \
    X(malloc) X(calloc) X(realloc) X(reallocarray) X(posix_memalign) X(aligned_alloc) X(memalign) X(valloc)   \
    X(pvalloc) X(strdup) X(strndup) X(wcsdup)                                                                \
    X(new_plain) X(new_array) X(new_nothrow) X(new_array_nothrow)                                            \
    X(new_aligned) X(new_array_aligned) X(new_aligned_nothrow) X(new_array_aligned_nothrow)
#define DEATHS(X)                                                                                            \
    X(free) X(free_sized) X(free_aligned_sized) X(realloc_to_0) X(delete_plain) X(delete_sized)              \
    X(delete_nothrow) X(delete_aligned) X(delete_sized_aligned) X(delete_aligned_nothrow)
#define NUMBER(name) F_##name,
#define NAME(name)   #name,

enum function { FUNCTIONS(NUMBER) FUNCTION_COUNT };
enum death { DEATHS(NUMBER) DEATH_COUNT };
static const char *const function_names[] = {FUNCTIONS(NAME)};
static const char *const death_names[] = {DEATHS(NAME)};

extern "C" {
__attribute__((weak)) void free_sized(void *block, size_t size);
__attribute__((weak)) void free_aligned_sized(void *block, size_t alignment, size_t size);
}

/* Declared by clang only when it is asked to use them. */
void operator delete(void *block, size_t size) noexcept;
void operator delete[](void *block, size_t size) noexcept;
void operator delete(void *block, size_t size, std::align_val_t alignment) noexcept;
void operator delete[](void *block, size_t size, std::align_val_t alignment) noexcept;

struct call {
    enum function function;
    size_t size, count, alignment;      /* count: of reallocarray and calloc */
    void *old;
    const char *text;
};

struct block {
    unsigned char *at;
    size_t size, asked;                 /* as the recorder shall see it; as it was passed */
    size_t alignment;
    enum function by;
    int site;
    unsigned char fill;
};

/* --- the reference -------------------------------------------------------------------------------------- */

struct figures {
    long allocations, bytes, frees, reallocations, temporary, blocks, live;
};

static struct figures figures[SITES], at_peak[SITES];
static long live, peak;
static struct block slots[SLOTS];
static const void *last_born;

static void after_event()
{
    if (live > peak) {
        peak = live;
        memcpy(at_peak, figures, sizeof figures);
    }
}

static void count_birth(const struct block *block)
{
    struct figures *f = &figures[block->site];
    f->allocations++;
    f->bytes += (long)block->size;
    f->blocks++;
    f->live += (long)block->size;
    live += (long)block->size;
    last_born = block->at;
}

static void count_death(const struct block *block)
{
    struct figures *f = &figures[block->site];
    f->frees++;
    f->blocks--;
    f->live -= (long)block->size;
    f->temporary += last_born == block->at;
    live -= (long)block->size;
    last_born = nullptr;
}

/* --- chance --------------------------------------------------------------------------------------------- */

static uint64_t state;

static uint64_t below(uint64_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % n;
}

/* More than any machine has. */
static bool is_too_much(size_t size)
{
    return size >= (size_t)1 << 47;
}

static size_t some_size()
{
    static const size_t too_much[] = {
        SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX - 16, SIZE_MAX - 4095, SIZE_MAX - 4096, SIZE_MAX / 2,
        (size_t)PTRDIFF_MAX + 1, PTRDIFF_MAX - 15, PTRDIFF_MAX - 4096, (size_t)1 << 47, (size_t)1 << 62,
    };
    switch (below(20)) {
    case 0:
        return too_much[below(sizeof too_much / sizeof *too_much)];
    case 1:
        return 0;
    case 2:
        return below(300000);
    case 3:
        return ((size_t)1 << below(18)) - below(2);
    case 4:
        return below(40) == 0 ? below(40000000) : below(5000);
    default:
        return below(600);
    }
}

static size_t some_alignment()
{
    static const size_t others[] = {
        0, 1, 2, 3, 4, 5, 7, 12, 24, 48, 100, 4095, 4097, SIZE_MAX, SIZE_MAX / 2, SIZE_MAX / 2 + 1,
        SIZE_MAX / 2 + 2, (size_t)1 << 62,
    };
    if (below(8) == 0)
        return others[below(sizeof others / sizeof *others)];
    return (size_t)8 << below(below(30) == 0 ? 17 : 10);
}

/* --- the sites: the same code in functions of their own -------------------------------------------------- */

#define ALIGN std::align_val_t(c->alignment)

__attribute__((always_inline)) static inline void *perform(const struct call *c)
{
    void *block = (void *)c;
    switch (c->function) {
    case F_malloc:
        return malloc(c->size);
    case F_calloc:
        return calloc(c->count, c->size);
    case F_realloc:
        return realloc(c->old, c->size);
    case F_reallocarray:
        return reallocarray(c->old, c->count, c->size);
    case F_posix_memalign:
        errno = posix_memalign(&block, c->alignment, c->size) ?: errno;
        return block;
    case F_aligned_alloc:
        return aligned_alloc(c->alignment, c->size);
    case F_memalign:
        return memalign(c->alignment, c->size);
    case F_valloc:
        return valloc(c->size);
    case F_pvalloc:
        return pvalloc(c->size);
    case F_strdup:
        return strdup(c->text);
    case F_strndup:
        return strndup(c->text, c->size);
    case F_wcsdup:
        return wcsdup((const wchar_t *)c->text);
    case F_new_plain:
        return ::operator new(c->size);
    case F_new_array:
        return ::operator new[](c->size);
    case F_new_nothrow:
        return ::operator new(c->size, std::nothrow);
    case F_new_array_nothrow:
        return ::operator new[](c->size, std::nothrow);
    case F_new_aligned:
        return ::operator new(c->size, ALIGN);
    case F_new_array_aligned:
        return ::operator new[](c->size, ALIGN);
    case F_new_aligned_nothrow:
        return ::operator new(c->size, ALIGN, std::nothrow);
    case F_new_array_aligned_nothrow:
        return ::operator new[](c->size, ALIGN, std::nothrow);
    default:
        return nullptr;
    }
}

#define SITE(n)                                                                                              \
    extern "C" __attribute__((noinline)) void *site_##n(const struct call *c)                                \
    {                                                                                                        \
        void *block = perform(c);                                                                            \
        __asm__ volatile("" : "+r"(block));                                                                  \
        return block;                                                                                        \
    }

SITE(0) SITE(1) SITE(2) SITE(3) SITE(4) SITE(5) SITE(6) SITE(7)

static void *(*const sites[SITES])(const struct call *c) = {
    site_0, site_1, site_2, site_3, site_4, site_5, site_6, site_7,
};

/* --- contents ------------------------------------------------------------------------------------------- */

/* The pattern of a block's first and last bytes. */
static bool each_byte(unsigned char *at, size_t size, size_t whole, unsigned char fill, bool write)
{
    bool same = true;
    for (size_t i = 0; i < size; i++) {
        if (i == FILLED && size > 2 * FILLED)
            i = size - FILLED;
        if (write)
            at[i] = (unsigned char)(fill + i * 7);
        /* What was not filled when the block was larger is anybody's. */
        else if (i < FILLED || i >= whole - FILLED || whole <= 2 * FILLED)
            same &= at[i] == (unsigned char)(fill + i * 7);
    }
    return same;
}

static bool kept(const struct block *block)
{
    return each_byte(block->at, block->size, block->size, block->fill, false);
}

static bool is_zero(const unsigned char *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (at[i])
            return false;
    return true;
}

/* --- events --------------------------------------------------------------------------------------------- */

static bool is_new(enum function f)
{
    return f >= F_new_plain;
}

static bool is_aligned_new(enum function f)
{
    return f >= F_new_aligned;
}

static bool takes_alignment(enum function f)
{
    return f == F_posix_memalign || f == F_aligned_alloc || f == F_memalign || is_aligned_new(f);
}

static bool is_power_of_2(size_t n)
{
    return n && !(n & (n - 1));
}

static int handled;

static void handler()
{
    handled++;
    std::set_new_handler(nullptr);
}

/* Its exception, which libstdc++'s nothrow forms have inside, is a block, too, of its own site. */
__attribute__((noinline)) static void *refused(const struct call *c)
{
    void *block = nullptr;
    try {
        block = perform(c);
    } catch (const std::bad_alloc &) {
        printf(" bad_alloc");
    }
    last_born = nullptr;
    return block;
}

static const char *some_text(size_t length, bool wide)
{
    static wchar_t text[1025];
    memset(text, 0, sizeof text);
    for (size_t i = 0; i < length && wide; i++)
        text[i] = (wchar_t)(L'a' + i % 26);
    for (size_t i = 0; i < length && !wide; i++)
        ((char *)text)[i] = (char)('a' + i % 26);
    return (const char *)text;
}

/* Bytes that the function is to be asked for in the end; SIZE_MAX: none can be given. */
static size_t wanted(const struct call *c)
{
    size_t bytes = c->size, length = c->text ? strnlen(c->text, 1024) : 0;
    switch (c->function) {
    case F_strdup:
        return length + 1;
    case F_strndup:
        return (length < c->size ? length : c->size) + 1;
    case F_wcsdup:
        return (wcslen((const wchar_t *)c->text) + 1) * sizeof(wchar_t);
    case F_calloc:
    case F_reallocarray:
        return __builtin_mul_overflow(c->count, c->size, &bytes) ? SIZE_MAX : bytes;
    default:
        return is_new(c->function) && !bytes ? 1 : bytes;
    }
}

static void describe(const struct call *c)
{
    printf("%s", function_names[c->function]);
    if (takes_alignment(c->function))
        printf(" alignment %zu", c->alignment);
    if (c->function == F_calloc || c->function == F_reallocarray)
        printf(" %zu times", c->count);
    printf(" %zu%s:", c->size, c->old ? " of a block" : "");
}

static void show(const struct call *c, const void *block, int error)
{
    if (block == c)
        printf(" untouched");
    else if (!block)
        printf(" null");
    else
        printf(" block%s%s", (uintptr_t)block % alignof(max_align_t) ? " misaligned" : "",
               takes_alignment(c->function) && is_power_of_2(c->alignment) && (uintptr_t)block % c->alignment
                   ? " not aligned as asked" : "");
    if (error != SENTINEL)
        printf(" errno %d", error);
    if (handled)
        printf(" handler %d", handled);
}

static void fill(struct block *block, const struct call *c)
{
    size_t room = malloc_usable_size(block->at);
    block->fill = (unsigned char)below(256);
    if (room < block->size)
        printf(" too small");
    if (c->text && memcmp(block->at, c->text, block->size - (c->function == F_wcsdup ? sizeof(wchar_t) : 1)))
        printf(" another text");
    if (c->function == F_calloc && !is_zero(block->at, block->size))
        printf(" not zero");
    /* Programs use what they were given too much. */
    if (below(2))
        memset(block->at, 0x5a, room);
    each_byte(block->at, block->size, block->size, block->fill, true);
}

static struct call some_call(const struct block *block)
{
    static const size_t some_count[] = {0, 1, 2, 3, 7, SIZE_MAX, SIZE_MAX / 2};
    struct call c = {};
    c.function = (enum function)below(FUNCTION_COUNT);
    if (block->at)
        c.function = below(3) ? F_realloc : F_reallocarray;
    c.size = some_size();
    c.alignment = some_alignment();
    c.count = below(10) ? 1 : some_count[below(sizeof some_count / sizeof *some_count)];
    c.old = block->at;
    if (is_aligned_new(c.function) && c.size > SIZE_MAX / 2)
        c.size = SIZE_MAX / 2;      /* libstdc++ rounds up to nothing */
    if (c.function == F_strdup || c.function == F_strndup || c.function == F_wcsdup)
        c.text = some_text(below(1024), c.function == F_wcsdup);
    return c;
}

/* Allocates, or gives the block another size. */
static void birth(struct block *block)
{
    struct call c = some_call(block);
    size_t bytes = wanted(&c);
    int site = (int)below(SITES);
    bool hopeless = is_new(c.function) && (is_too_much(bytes) || (is_aligned_new(c.function) &&
                    (!is_power_of_2(c.alignment) || is_too_much(c.alignment))));
    /* The exception is a block that the reference does not know: not when it could be part of a peak. */
    if (hopeless && live + 4096 > peak)
        return;
    describe(&c);
    handled = 0;
    std::set_new_handler(below(2) ? handler : nullptr);
    errno = SENTINEL;
    void *at = hopeless ? refused(&c) : sites[site](&c);
    show(&c, at, errno);
    if (at == &c)
        at = nullptr;
    bool was = block->at != nullptr;
    struct block before = *block;
    if (was && (at || !bytes)) {
        count_death(block);
        block->at = nullptr;
    } else if (was && !kept(block)) {
        printf(" contents lost");
    }
    if (at) {
        *block = {(unsigned char *)at, bytes, c.size, c.alignment, c.function, site, before.fill};
        if (was && !each_byte(block->at, bytes < before.size ? bytes : before.size, before.size, before.fill,
                              false))
            printf(" contents not kept");
        count_birth(block);
        figures[site].reallocations += was;
        fill(block, &c);
    }
    after_event();
    printf("\n");
}

static enum death some_death(enum function by)
{
    if (is_aligned_new(by))
        return (enum death)(F_delete_aligned + below(3));
    if (is_new(by))
        return (enum death)(F_delete_plain + below(3));
    return (enum death)(takes_alignment(by) ? below(4) : by == F_malloc ? below(2) : 3 * below(2));
}

static void kill_array(enum death death, const struct block *b)
{
    std::align_val_t alignment = std::align_val_t(b->alignment);
    switch (death) {
    case F_delete_plain:
        return ::operator delete[](b->at);
    case F_delete_sized:
        return ::operator delete[](b->at, b->asked);
    case F_delete_nothrow:
        return ::operator delete[](b->at, std::nothrow);
    case F_delete_aligned:
        return ::operator delete[](b->at, alignment);
    case F_delete_sized_aligned:
        return ::operator delete[](b->at, b->asked, alignment);
    default:
        return ::operator delete[](b->at, alignment, std::nothrow);
    }
}

static void kill(enum death death, const struct block *b)
{
    std::align_val_t alignment = std::align_val_t(b->alignment);
    switch (death) {
    case F_free:
        return free(b->at);
    case F_free_sized:
        return free_sized ? free_sized(b->at, b->size) : free(b->at);
    case F_free_aligned_sized:
        return free_aligned_sized ? free_aligned_sized(b->at, b->alignment, b->size) : free(b->at);
    case F_realloc_to_0:
        if (realloc(b->at, 0))
            printf(" a block");
        return;
    case F_delete_plain:
        return ::operator delete(b->at);
    case F_delete_sized:
        return ::operator delete(b->at, b->asked);
    case F_delete_nothrow:
        return ::operator delete(b->at, std::nothrow);
    case F_delete_aligned:
        return ::operator delete(b->at, alignment);
    case F_delete_sized_aligned:
        return ::operator delete(b->at, b->asked, alignment);
    default:
        return ::operator delete(b->at, alignment, std::nothrow);
    }
}

static bool is_array(enum function f)
{
    return f == F_new_array || f == F_new_array_nothrow || f == F_new_array_aligned ||
           f == F_new_array_aligned_nothrow;
}

static void death(struct block *block)
{
    enum death how = some_death(block->by);
    printf("%s:%s", death_names[how], kept(block) ? "" : " contents lost");
    errno = SENTINEL;
    is_array(block->by) ? kill_array(how, block) : kill(how, block);
    if (errno != SENTINEL)
        printf(" errno %d", errno);
    count_death(block);
    block->at = nullptr;
    printf("\n");
}

/* What does nothing, and asks. */
static void nothing(const struct block *block)
{
    errno = SENTINEL;
    free(nullptr);
    ::operator delete(nullptr);
    ::operator delete[](nullptr, (size_t)5);
    if (free_sized)
        free_sized(nullptr, 5);
    size_t none = malloc_usable_size(nullptr), room = malloc_usable_size(block->at);
    printf("nothing: %zu %s errno %d\n", none, block->at && room < block->size ? "too small" : "enough", errno);
}

/* libc's functions that return a block, by however many calls: as many stay as go. */
__attribute__((noinline)) static void libc_blocks()
{
    char *text = nullptr, *line = nullptr, source[] = "the first line\nthe second\n";
    size_t size = 0, n = below(300);
    if (live + 65536 > peak)
        return;
    errno = SENTINEL;
    printf("asprintf %d", asprintf(&text, "%*d", (int)n, 42));
    printf(" %zu", strlen(text));
    free(text);
    FILE *stream = fmemopen(source, strlen(source), "r");
    while (getline(&line, &size, stream) > 0)
        printf(" %zu", strlen(line));
    fclose(stream);
    free(line);
    stream = open_memstream(&text, &size);
    for (size_t i = 0; i < n * 10; i++)
        fputc('x', stream);
    fclose(stream);
    printf(" %zu", size);
    free(text);
    text = realpath("/proc/./self/../", nullptr);
    printf(" %s", text);
    free(text);
    sscanf("word", "%ms", &text);
    printf(" %s errno %d\n", text, errno);
    free(text);
    last_born = nullptr;
}

static void event()
{
    struct block *block = &slots[below(SLOTS)];
    unsigned kind = (unsigned)below(100);
    if (kind == 0)
        libc_blocks();
    else if (kind < 3)
        nothing(block);
    else if (!block->at || (kind < 30 && !is_new(block->by)))
        birth(block);
    else
        death(block);
    if (kind > 90 && block->at)
        death(block);
}

int main(int argc, char **argv)
{
    static char output[1 << 16];
    if (argc != 3)
        return 2;
    setvbuf(stdout, output, _IOFBF, sizeof output);
    state = strtoull(argv[1], nullptr, 10) * 0x9e3779b97f4a7c15u + 1;
    for (long n = atol(argv[2]); n > 0; n--)
        event();
    for (int i = 0; i < SITES; i++) {
        const struct figures *f = &figures[i];
        printf("site_%d %ld %ld %ld %ld %ld %ld %ld %ld %ld\n", i, f->allocations, f->bytes, f->frees,
               f->reallocations, f->temporary, f->blocks, f->live, at_peak[i].blocks, at_peak[i].live);
    }
    return 0;
}
