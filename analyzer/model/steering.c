// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1
#include "model/steering.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "model/clock.h"
#include "model/file.h"
#include "model/process.h"

#define PAUSE_NS 2000000

struct steering {
    struct file file;
    struct trace_header header;
    uint64_t words; /* offset of the struct trace_control */
    uint32_t number;
    uint64_t until;
};

static bool is_time_left(const struct steering *steering)
{
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
    return now_ns() < steering->until;
}

/* --- the words ----------------------------------------------------------------------------------------- */

/* Written as the recorder's own mapping shows it: there is no other copy. */
static bool put(const struct steering *steering, size_t offset, const void *bytes, size_t size,
                struct failure *why)
{
    ssize_t done = pwrite(steering->file.fd, bytes, size, (off_t)(steering->words + offset));
    return done == (ssize_t)size ||
           failure_set(why, "cannot be written to: %s", strerror(done < 0 ? errno : EIO));
}

#define PUT(steering, member, value, why)                        \
    put(steering, offsetof(struct trace_control, member), value, \
        sizeof(((struct trace_control *)0)->member), why)

static bool get(const struct steering *steering, struct trace_control *words, struct failure *why)
{
    return file_read(&steering->file, steering->words, words, sizeof(*words), why);
}

/* Not in the middle of a character of UTF-8. */
static void copy_label(char *to, size_t size, const char *label)
{
    size_t length = label ? strnlen(label, size) : 0;
    if (length == size)
        for (length--; length && ((unsigned char)label[length] & 0xc0) == 0x80; length--)
            continue;
    memset(to, 0, size);
    memcpy(to, label ? label : "", length);
}

/* `command` is none while the rest is not complete, and comes last. */
static bool ask(struct steering *steering, const struct steering_request *request, struct failure *why)
{
    struct trace_control words;
    uint32_t none = 0, command = request->command;
    if (!get(steering, &words, why))
        return false;
    steering->number = words.request + 1;
    copy_label(words.label, sizeof(words.label), request->label);
    return PUT(steering, command, &none, why) && PUT(steering, argument, &request->argument, why) &&
           PUT(steering, label, words.label, why) && PUT(steering, request, &steering->number, why) &&
           PUT(steering, command, &command, why);
}

static enum steering_answer wait_for_answer(const struct steering *steering, int *error, struct failure *why)
{
    struct trace_control words;
    do {
        if (!get(steering, &words, why))
            return STEERING_IMPOSSIBLE;
        if (words.done == steering->number) {
            *error = -words.result;
            return words.result ? STEERING_REFUSED : STEERING_DONE;
        }
        if (!process_is_there(&steering->header))
            return STEERING_ENDED;
    } while (is_time_left(steering));
    return STEERING_UNSEEN;
}

/* --- the file ------------------------------------------------------------------------------------------ */

static bool open_trace(struct steering *steering, const char *path, struct failure *why)
{
    struct file *file = &steering->file;
    file->fd = file_open_regular(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC, &file->stat);
    if (file->fd < 0)
        return failure_set(why, "cannot be opened: %s", strerror(errno));
    if (geteuid() != 0 && file->stat.st_uid != geteuid())
        return failure_set(why, "is not yours");
    return true;
}

static bool check_header(const struct trace_header *header, struct failure *why)
{
    if (memcmp(header->magic, TRACE_MAGIC, sizeof(header->magic)) != 0)
        return failure_set(why, "is no trace");
    if (header->reader_version > TRACE_VERSION)
        return failure_set(why, "is of format version %u, which this program does not know", header->version);
    if (header->state != TRACE_RUNNING || !process_is_there(header))
        return failure_set(why, "is of a program that has ended");
    return header->control ||
           failure_set(why, "is of a recorder that cannot be steered: it is older, or found no room");
}

/* Nothing is written before it is certain what is there. */
static bool find_words(struct steering *steering, struct failure *why)
{
    struct trace_section section;
    const struct file *file = &steering->file;
    uint64_t at = steering->header.control, size = (uint64_t)file->stat.st_size;
    if (at % 8 || at < sizeof(struct trace_header) + sizeof(section) || at > size ||
        size - at < sizeof(struct trace_control))
        return failure_set(why, "is damaged: there are no words of control where it says");
    if (!file_read(file, at - sizeof(section), &section, sizeof(section), why))
        return false;
    steering->words = at;
    return (section.type == TRACE_CONTROL && section.record_size >= sizeof(struct trace_control) &&
            section.capacity == 1) ||
           failure_set(why, "is damaged: there are no words of control where it says");
}

static bool lock(const struct steering *steering, struct failure *why)
{
    while (flock(steering->file.fd, LOCK_EX | LOCK_NB) != 0)
        if (errno != EWOULDBLOCK || !is_time_left(steering))
            return failure_set(why, "is being steered by another program");
    return true;
}

enum steering_answer steering_ask(const char *path, const struct steering_request *request, uint64_t patience,
                                  int *error, struct failure *why)
{
    struct steering steering = {.until = now_ns() + patience};
    enum steering_answer answer = STEERING_IMPOSSIBLE;
    if (!open_trace(&steering, path, why)) {
        if (steering.file.fd >= 0)
            close(steering.file.fd);
        return answer;
    }
    if (file_read(&steering.file, 0, &steering.header, sizeof(steering.header), why) &&
        check_header(&steering.header, why) && find_words(&steering, why) && lock(&steering, why) &&
        ask(&steering, request, why))
        answer = wait_for_answer(&steering, error, why);
    close(steering.file.fd);
    return answer;
}
