// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1
#include "model/symbol_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libiberty/libiberty.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uthash.h>

#include "model/failure.h"

#define MAGIC       "\211TMSYMS"
#define VERSION     1
#define LARGEST     (SYMBOL_CACHE_MOST / 4) /* one file */
#define ID_MOST     64                      /* bytes of a build-id */
#define NAME_MAX_ID (2 * ID_MOST + 1)

/* The file: this header, the addresses in ascending order, their places, the strings. */
struct head {
    char magic[8];
    uint32_t version;
    uint32_t checksum;                      /* of all that follows it */
    uint64_t device, inode, size, mtime_ns; /* of the ELF file */
    uint32_t address_count, place_count;
    uint64_t string_size;
};

struct address {
    uint64_t offset;
    uint32_t first, count; /* of its places */
};

struct kept_place {
    uint32_t function, file; /* where in the strings; 0: none */
    int32_t line;
};

/* What will be written, or was read. */
struct content {
    struct address *addresses;
    struct kept_place *places;
    char *strings; /* the first is empty: nothing has its place 0 */
    size_t address_count, place_count, string_size;
    size_t address_room, place_room, string_room;
};

struct known_string {
    UT_hash_handle hh;
    uint32_t at;
    char string[];
};

struct symbol_cache {
    char name[NAME_MAX_ID];
    struct head head;
    char *bytes;                /* of the file that was there; null: none */
    struct content found;       /* points into them */
    struct content added;       /* of its own */
    struct known_string *known; /* those in added.strings */
    bool too_large;             /* to be kept */
};

static bool disabled;

void symbol_cache_disable(void)
{
    disabled = true;
}

/* --- the directory ------------------------------------------------------------------------------------- */

/* Where it is, or null; *home: what it is in. */
static bool directory_paths(char home[PATH_MAX], char path[PATH_MAX])
{
    const char *cache = getenv("XDG_CACHE_HOME"), *user = getenv("HOME");
    int size = -1;
    if (cache && cache[0] == '/')
        size = snprintf(home, PATH_MAX, "%s", cache);
    else if (user && user[0] == '/')
        size = snprintf(home, PATH_MAX, "%s/.cache", user);
    if (size < 0 || size >= PATH_MAX)
        return false;
    return snprintf(path, PATH_MAX, "%s/tracemalloc", home) < PATH_MAX;
}

static bool is_ours(const char *path)
{
    struct stat found;
    return path && stat(path, &found) == 0 && found.st_uid == geteuid();
}

/* Another user's, under sudo, would be left with directories that do not belong to him. */
static void make_directories(const char *home, const char *path)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    if ((cache && strcmp(cache, home) == 0) || is_ours(getenv("HOME")))
        mkdir(home, 0700);
    if (is_ours(home))
        mkdir(path, 0700);
}

/* The directory, -1 if there is none.  What others can write to, or what belongs to them (under sudo), is not
   used: they could tell us what they like. */
static int open_directory(bool make)
{
    char home[PATH_MAX], path[PATH_MAX];
    struct stat stat;
    if (!directory_paths(home, path))
        return -1;
    if (make)
        make_directories(home, path);
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0 &&
        (fstat(fd, &stat) != 0 || stat.st_uid != geteuid() || stat.st_mode & (S_IWGRP | S_IWOTH))) {
        close(fd);
        fd = -1;
    }
    return fd;
}

struct entry {
    char name[NAME_MAX + 1];
    struct timespec used;
    uint64_t size;
};

static int by_age(const void *a, const void *b)
{
    const struct timespec *x = &((const struct entry *)a)->used, *y = &((const struct entry *)b)->used;
    if (x->tv_sec != y->tv_sec)
        return x->tv_sec > y->tv_sec ? -1 : 1;
    return x->tv_nsec > y->tv_nsec ? -1 : x->tv_nsec < y->tv_nsec;
}

/* Removes the files that were not used for longest, until the rest is small enough. */
static void trim(int directory)
{
    struct entry *entries = NULL;
    size_t count = 0, capacity = 0;
    uint64_t size = 0;
    DIR *stream = fdopendir(dup(directory));
    for (struct dirent *found; stream && (found = readdir(stream));) {
        struct stat stat;
        if (fstatat(directory, found->d_name, &stat, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(stat.st_mode))
            continue;
        entries = memory_grow(entries, count, &capacity, sizeof(*entries));
        entries[count] = (struct entry){.used = stat.st_mtim, .size = (uint64_t)stat.st_size};
        snprintf(entries[count++].name, sizeof(entries->name), "%s", found->d_name);
    }
    if (stream)
        closedir(stream);
    if (count)
        qsort(entries, count, sizeof(*entries), by_age);
    for (size_t i = 0; i < count; i++) {
        size += entries[i].size;
        if (size > SYMBOL_CACHE_MOST)
            unlinkat(directory, entries[i].name, 0);
    }
    free(entries);
}

/* --- reading ------------------------------------------------------------------------------------------- */

static uint32_t checksum_of(const void *bytes, size_t size, uint32_t before)
{
    const unsigned char *at = bytes;
    for (; size > INT_MAX; size -= INT_MAX, at += INT_MAX)
        before = xcrc32(at, INT_MAX, before);
    return xcrc32(at, (int)size, before);
}

#define SUMMED offsetof(struct head, device)

static bool read_bytes(int fd, char *bytes, size_t size)
{
    while (size) {
        ssize_t got = read(fd, bytes, size);
        if (got <= 0 && errno != EINTR)
            return false;
        bytes += got > 0 ? got : 0;
        size -= got > 0 ? (size_t)got : 0;
    }
    return true;
}

static bool is_same_file(const struct head *a, const struct head *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size && a->mtime_ns == b->mtime_ns;
}

/* Whether a file of `size` bytes is what it should be: whole, of this version, made from the same ELF file. */
static bool is_good(const struct head *head, const struct head *wanted, const char *bytes, size_t size)
{
    size_t left = size - sizeof(*head), addresses = head->address_count * sizeof(struct address),
           places = head->place_count * sizeof(struct kept_place);
    return memcmp(head->magic, wanted->magic, sizeof(head->magic)) == 0 && head->version == wanted->version &&
           (!wanted->inode || is_same_file(head, wanted)) && addresses <= left &&
           places <= left - addresses && head->string_size == left - addresses - places &&
           head->string_size && !bytes[size - 1] &&
           checksum_of(bytes + SUMMED, size - SUMMED, 0) == head->checksum;
}

static void take(struct symbol_cache *cache, char *bytes)
{
    struct head head;
    memcpy(&head, bytes, sizeof(head));
    char *addresses = bytes + sizeof(head), *places = addresses + head.address_count * sizeof(struct address),
         *strings = places + head.place_count * sizeof(struct kept_place);
    cache->bytes = bytes;
    cache->found = (struct content){.addresses = (struct address *)addresses,
                                    .places = (struct kept_place *)places,
                                    .strings = strings,
                                    .address_count = head.address_count,
                                    .place_count = head.place_count,
                                    .string_size = head.string_size};
}

static void read_file(struct symbol_cache *cache, int directory)
{
    struct stat stat;
    struct head head;
    char *bytes = NULL;
    int fd = openat(directory, cache->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return;
    bool fine = fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size > (off_t)sizeof(head) &&
                (uint64_t)stat.st_size <= LARGEST;
    if (fine)
        fine = read_bytes(fd, bytes = memory_get(1, (size_t)stat.st_size), (size_t)stat.st_size);
    if (fine)
        memcpy(&head, bytes, sizeof(head));
    if (fine && is_good(&head, &cache->head, bytes, (size_t)stat.st_size)) {
        take(cache, bytes);
        futimens(fd, NULL); /* used now */
    } else {
        free(bytes);
    }
    close(fd);
}

struct symbol_cache *symbol_cache_open(const uint8_t *build_id, size_t build_id_size, const struct stat *file)
{
    char home[PATH_MAX], path[PATH_MAX];
    if (disabled || !build_id_size || build_id_size > ID_MOST || !directory_paths(home, path))
        return NULL;
    struct symbol_cache *cache = memory_get(1, sizeof(*cache));
    for (size_t i = 0; i < build_id_size; i++)
        sprintf(cache->name + 2 * i, "%02x", build_id[i]);
    cache->head = (struct head){.magic = MAGIC, .version = VERSION};
    if (file) {
        cache->head.device = file->st_dev;
        cache->head.inode = file->st_ino;
        cache->head.size = (uint64_t)file->st_size;
        cache->head.mtime_ns = (uint64_t)file->st_mtim.tv_sec * 1000000000 + (uint64_t)file->st_mtim.tv_nsec;
    }
    int directory = open_directory(false);
    if (directory >= 0) {
        read_file(cache, directory);
        close(directory);
    }
    return cache;
}

static const char *string_at(const struct content *content, uint32_t at)
{
    return at && at < content->string_size ? content->strings + at : NULL;
}

size_t symbol_cache_find(const struct symbol_cache *cache, uint64_t address,
                         struct place places[DEBUGINFO_DEEPEST])
{
    const struct content *found = &cache->found;
    size_t low = 0, high = found->address_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (found->addresses[middle].offset < address)
            low = middle + 1;
        else
            high = middle;
    }
    const struct address *here = &found->addresses[low];
    if (low == found->address_count || here->offset != address || here->count > DEBUGINFO_DEEPEST ||
        here->first > found->place_count || here->count > found->place_count - here->first)
        return 0;
    for (uint32_t i = 0; i < here->count; i++) {
        const struct kept_place *place = &found->places[here->first + i];
        places[i] = (struct place){.function = string_at(found, place->function),
                                   .file = string_at(found, place->file),
                                   .line = place->line};
    }
    return here->count;
}

/* --- writing ------------------------------------------------------------------------------------------- */

static uint32_t keep_string(struct symbol_cache *cache, const char *string)
{
    struct content *added = &cache->added;
    struct known_string *known;
    unsigned hash;
    if (!string)
        return 0;
    size_t size = strlen(string);
    HASH_VALUE(string, size, hash);
    HASH_FIND_BYHASHVALUE(hh, cache->known, string, size, hash, known);
    if (known)
        return known->at;
    cache->too_large |= added->string_size + size >= LARGEST;
    if (cache->too_large)
        return 0;
    while (added->string_size + size + 1 > added->string_room)
        added->strings = memory_grow(added->strings, added->string_room, &added->string_room, 1);
    known = memory_get(1, sizeof(*known) + size + 1);
    memcpy(known->string, string, size + 1);
    known->at = (uint32_t)added->string_size;
    memcpy(added->strings + added->string_size, string, size + 1);
    added->string_size += size + 1;
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, cache->known, known->string, size, hash, known);
    return known->at;
}

void symbol_cache_add(struct symbol_cache *cache, uint64_t address, const struct place *places, size_t count)
{
    struct content *added = &cache->added;
    if (!added->string_size) {
        added->strings = memory_grow(added->strings, 0, &added->string_room, 1);
        added->strings[added->string_size++] = 0;
    }
    added->addresses =
        memory_grow(added->addresses, added->address_count, &added->address_room, sizeof(struct address));
    added->addresses[added->address_count++] =
        (struct address){address, (uint32_t)added->place_count, (uint32_t)count};
    for (size_t i = 0; i < count; i++) {
        added->places =
            memory_grow(added->places, added->place_count, &added->place_room, sizeof(struct kept_place));
        added->places[added->place_count++] = (struct kept_place){
            keep_string(cache, places[i].function), keep_string(cache, places[i].file), places[i].line};
    }
}

static int by_offset(const void *a, const void *b)
{
    const struct address *x = a, *y = b;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* What was there belongs to what will be. */
static void add_found(struct symbol_cache *cache)
{
    struct place places[DEBUGINFO_DEEPEST];
    for (size_t i = 0; i < cache->found.address_count; i++) {
        uint64_t offset = cache->found.addresses[i].offset;
        size_t count = symbol_cache_find(cache, offset, places);
        if (count)
            symbol_cache_add(cache, offset, places, count);
    }
    qsort(cache->added.addresses, cache->added.address_count, sizeof(struct address), by_offset);
}

static bool write_bytes(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size) {
        ssize_t done = write(fd, at, size);
        if (done < 0 && errno != EINTR)
            return false;
        at += done > 0 ? done : 0;
        size -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

static bool write_content(int fd, struct head *head, const struct content *content)
{
    const struct {
        const void *bytes;
        size_t size;
    } parts[] = {
        {content->addresses, content->address_count * sizeof(struct address)},
        {content->places, content->place_count * sizeof(struct kept_place)},
        {content->strings, content->string_size},
    };
    head->address_count = (uint32_t)content->address_count;
    head->place_count = (uint32_t)content->place_count;
    head->string_size = content->string_size;
    head->checksum = checksum_of((const char *)head + SUMMED, sizeof(*head) - SUMMED, 0);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
        head->checksum = checksum_of(parts[i].bytes, parts[i].size, head->checksum);
    bool fine = write_bytes(fd, head, sizeof(*head));
    for (size_t i = 0; fine && i < sizeof(parts) / sizeof(parts[0]); i++)
        fine = write_bytes(fd, parts[i].bytes, parts[i].size);
    return fine;
}

/* Under a name of our own first: nobody sees half a file.  A limit of files' sizes is not to end the program. */
static void write_file(struct symbol_cache *cache, int directory)
{
    char name[NAME_MAX_ID + 32];
    snprintf(name, sizeof(name), "%s.%d.new", cache->name, (int)getpid());
    unlinkat(directory, name, 0);
    int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    struct sigaction ignored = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGXFSZ, &ignored, &before);
    bool fine = write_content(fd, &cache->head, &cache->added);
    sigaction(SIGXFSZ, &before, NULL);
    close(fd);
    if (!fine || renameat(directory, name, directory, cache->name) != 0)
        unlinkat(directory, name, 0);
}

static void save(struct symbol_cache *cache)
{
    const struct content *added = &cache->added;
    add_found(cache);
    if (cache->too_large || added->address_count * sizeof(struct address) +
                                    added->place_count * sizeof(struct kept_place) + added->string_size +
                                    sizeof(struct head) >
                                LARGEST)
        return;
    int directory = open_directory(true);
    if (directory < 0)
        return;
    write_file(cache, directory);
    trim(directory);
    close(directory);
}

void symbol_cache_close(struct symbol_cache *cache, bool saved)
{
    struct known_string *known, *next;
    if (!cache)
        return;
    if (saved && cache->added.address_count)
        save(cache);
    HASH_ITER(hh, cache->known, known, next)
    {
        HASH_DEL(cache->known, known);
        free(known);
    }
    free(cache->added.addresses);
    free(cache->added.places);
    free(cache->added.strings);
    free(cache->bytes);
    free(cache);
}
