// SPDX-License-Identifier: MIT
#include "session.h"
#include "control.h"
#include "counters.h"
#include "snapshots.h"
#include "timeline.h"
#include "../base/arena.h"
#include "../base/file.h"
#include "../base/life.h"
#include "../base/message.h"
#include "../base/options.h"
#include "../base/proc.h"
#include "../unwind/modules.h"
#include <errno.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

enum {
    WORTH_ALLOCATIONS = 1000,
    WORTH_BYTES = 1 << 20,
    LOOK_EVERY = 512,           /* at most so many allocations of a thread between looks at the clock, ... */
    LOOKS = 8,                  /* ... and about so many looks within an interval, ... */
    LOOK_NS = 50 * 1000 * 1000, /* ... if that is not longer than this: last_seen_ns shall be recent */
    COMMAND_MAX = 64 * 1024,
    PATH_SIZE = 4096,
};

static struct {
    char cwd[PATH_SIZE], exe[PATH_SIZE];
    char buffer[2 * PATH_SIZE];         /* for whoever runs alone: the stack may be small */
    _Atomic uint64_t allocations, bytes;        /* recorded without a file */
    _Atomic bool attaching;
    bool root;                  /* the process that the user started */
    _Atomic bool confined;      /* may be killed for opening a file */
    char *const *environment;
} session;

/* --- who ------------------------------------------------------------------------------------------------ */

enum { STAT_PARENT = 4, STAT_START = 22 };

/* A number from /proc/self/stat; 0 if it cannot be read. */
static uint64_t stat_field(int wanted)
{
    size_t n = proc_read("/proc/self/stat", session.buffer, sizeof session.buffer - 1);
    session.buffer[n] = 0;
    const char *at = strrchr(session.buffer, ')');      /* the name before may hold anything */
    for (int field = 2; at && field < wanted; field++) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    uint64_t number = 0;
    for (; at && *at >= '0' && *at <= '9'; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    return number;
}

static void read_boot_id(uint8_t id[16])
{
    char text[40] = "";
    proc_read("/proc/sys/kernel/random/boot_id", text, sizeof text - 1);
    const char *at = text;
    for (int i = 0; i < 16 && *at; i++) {
        char byte[3] = "";
        at += *at == '-';
        byte[0] = at[0];
        byte[1] = at[0] ? at[1] : 0;
        const char *digits = byte;
        id[i] = (uint8_t)proc_hex(&digits);
        at += at[0] && at[1] ? 2 : 0;
    }
}

static void write_command(struct trace_header *header)
{
    char *command = arena_alloc(COMMAND_MAX);
    if (!command)
        return;
    size_t size = proc_read("/proc/self/cmdline", command, COMMAND_MAX - 1);
    command[size] = 0;
    header->command = file_string(command, size + 1);
    header->command_size = header->command ? size : 0;
    arena_free(command, COMMAND_MAX);
}

static void write_process(struct trace_header *header)
{
    header->pid = sys_getpid();
    header->ppid = (int)sys3(SYS_getppid, 0, 0, 0);
    header->process_start = stat_field(STAT_START);
    header->started_realtime_ns = sys_clock_ns(CLOCK_REALTIME);
    header->started_ns = header->last_seen_ns = sys_clock_ns(CLOCK_MONOTONIC);
    header->state = TRACE_RUNNING;
    header->missed_events = 0;
}

static void write_identity(struct trace_header *header)
{
    long n = sys_readlink("/proc/self/exe", session.exe, sizeof session.exe - 1);
    session.exe[sys_failed(n) ? 0 : n] = 0;
    n = sys3(SYS_getcwd, (long)session.cwd, sizeof session.cwd - 1, 0);
    if (sys_failed(n) || session.cwd[0] != '/')
        session.cwd[0] = 0;
    write_process(header);
    read_boot_id(header->boot_id);
    header->exe = file_string(session.exe, strlen(session.exe) + 1);
    header->cwd = file_string(session.cwd, strlen(session.cwd) + 1);
    write_command(header);
    header->run_pid = options.root;
    header->depth = options.depth;
    header->sample_bytes = 1;
}

/* --- is it the one that the user started? ---------------------------------------------------------------- */

struct own_mapping {
    uintptr_t address;
    char file[512];             /* device, inode and name, as /proc writes them */
    bool found;
};

/* Behind the range: what is mapped, and how.  (A debugger maps us, too, but not to run.) */
static const char *file_of_line(const char *line)
{
    line = strchr(line, ' ');
    return line ? line + 1 : NULL;
}

static bool look_for_own(char *line, void *context)
{
    struct own_mapping *own = context;
    const char *at = line;
    uintptr_t from = proc_hex(&at), to = *at++ ? proc_hex(&at) : 0;
    const char *file = file_of_line(line);
    if (own->address < from || own->address >= to || !file || strlen(file) >= sizeof own->file)
        return true;
    strcpy(own->file, file);
    return false;
}

static bool look_for_same(char *line, void *context)
{
    struct own_mapping *own = context;
    const char *file = file_of_line(line);
    own->found = file && !strcmp(file, own->file);
    return !own->found;
}

/* The parent as /proc numbers it: in a pid namespace that may be otherwise than getppid does. */
static bool parent_is_traced(void)
{
    struct own_mapping own = {.address = (uintptr_t)parent_is_traced};
    char path[40];
    message_format(path, sizeof path, "/proc/%lu/maps", stat_field(STAT_PARENT));
    proc_lines("/proc/self/maps", session.buffer, sizeof session.buffer, look_for_own, &own);
    return own.file[0] && proc_lines(path, session.buffer, sizeof session.buffer, look_for_same, &own) &&
           own.found;
}

static bool is_root(void)
{
    return options.root ? options.root == sys_getpid() : !parent_is_traced();
}

/* --- the file --------------------------------------------------------------------------------------------- */

/* A mapped file there can stall the program for minutes, or raise SIGBUS when the server goes. */
static bool is_remote(const char *directory)
{
    static const unsigned remote[] = {NFS_SUPER_MAGIC, 0x65735546 /* FUSE */, 0x517b /* SMB */,
                                      0xff534d42 /* CIFS */, 0xfe534d42 /* SMB2 */, V9FS_MAGIC,
                                      0x00c36400 /* Ceph */, AFS_SUPER_MAGIC, CODA_SUPER_MAGIC};
    struct statfs facts;
    if (sys_failed(sys3(SYS_statfs, (long)directory, (long)&facts, 0)))
        return false;
    for (size_t i = 0; i < sizeof remote / sizeof *remote; i++)
        if ((unsigned)facts.f_type == remote[i])
            return true;
    return false;
}

static const char *local_directory(void)
{
    static const char name[] = "XDG_RUNTIME_DIR=";
    for (char *const *e = session.environment; e && *e; e++)
        if (!strncmp(*e, name, sizeof name - 1) && e[0][sizeof name - 1] == '/')
            return *e + sizeof name - 1;
    return "/dev/shm";
}

/* The file's name, absolute: the program may change its directory before a file is needed. */
static bool file_name(char *name, size_t size)
{
    const char *slash = strrchr(session.exe, '/');
    char *end = name;
    if (options.out[0] != '/' && session.cwd[0]) {
        end = stpcpy(name, session.cwd);
        *end++ = '/';
    }
    if (!options_file_name(end, size - (size_t)(end - name), slash ? slash + 1 : "program", file_header->pid,
                           file_header->started_realtime_ns / 1000000000u))
        return false;
    char *base = strrchr(name, '/');
    if (!base)
        return true;
    *base = 0;
    bool remote = is_remote(*name ? name : "/");
    *base = '/';
    if (remote) {
        size_t length = strlen(base) + 1, before = strlen(local_directory());
        if (before + length > size)
            return false;
        memmove(name + before, base, length);
        memcpy(name, local_directory(), before);
    }
    return true;
}

static const char *error_text(int error)
{
    static const struct {
        int error;
        const char *text;
    } texts[] = {
        {EACCES, "permission denied"}, {EROFS, "the file system is read-only"}, {ENOENT, "no such directory"},
        {ENOSPC, "the disk is full"}, {EDQUOT, "the quota is used up"}, {EFBIG, "the limit of file sizes"},
        {ENOTDIR, "a part of the name is no directory"}, {ENAMETOOLONG, "the name is too long"},
        {EMFILE, "too many open files"}, {ENOMEM, "not enough address space"}, {ENODEV, "cannot be mapped"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].error == error)
            return texts[i].text;
    return NULL;
}

static void announce(int result, const char *name)
{
    const char *text = error_text(-result);
    if (!session.root)
        return;
    if (result && text)
        message("not recording: cannot create %s: %s", name, text);
    else if (result)
        message("not recording: cannot create %s: error %d", name, -result);
    else if (!options.quiet && message_stderr_is_terminal())
        message("recording to %s", name);
}

/* Under world.tables, with no other thread in the tables. */
static void attach(void)
{
    char *name = session.buffer;
    int result = -ENAMETOOLONG;
    file_header->recorder_bytes = arena_bytes();
    if (file_header->flags & TRACE_FORKED)
        counters_inherit();
    if (file_name(name, sizeof session.buffer - 16))
        result = file_attach(name, sizeof session.buffer);
    announce(result, name);
    if (result)
        life_give_up();
}

/* Several threads: they must be out of the tables while these move.  If that does not succeed now, it is
   tried again at the next allocation. */
static void attach_while_running(struct thread *self)
{
    if (session_is_confined()) {
        life_give_up();
        return;
    }
    if (atomic_exchange(&session.attaching, true))
        return;
    bool alone = thread_count_most() == 1;
    if (alone || thread_world_stop(self)) {
        POINT("attaching");
        tables_take();
        if (!file_is_attached())
            attach();
        tables_drop();
        if (!alone)
            thread_world_go(self);
        POINT("attached");
    }
    atomic_store(&session.attaching, false);
}

/* --- events ------------------------------------------------------------------------------------------- */

static void complain(const char *what)
{
    if (session.root)
        message("LIBTRACE_OPTIONS: ignoring %s", what);
}

/* What is known already is of before. */
static void begin_stopped(struct thread *self)
{
    control_record(false);
    control_clear(self);
    file_header->cleared_ns = 0;
}

void session_start(struct thread *self, char *const *environment, const char *first_malloc)
{
    session.environment = environment;
    options_read(environment, NULL);
    if (first_malloc && !*first_malloc)
        first_malloc = session.exe;
    tables_take();
    write_identity(file_header);
    if (first_malloc)
        file_header->first_malloc = (uint32_t)file_string(first_malloc, strlen(first_malloc) + 1);
    tables_drop();
    session.root = is_root();
    if (session.root)
        options_read(environment, complain);
    if (session.root && first_malloc)
        message("malloc is that of %s: only what it passes on is recorded", first_malloc);
    snapshots_start(self);
    if (session.root || options.children == CHILDREN_ALL)
        attach_while_running(self);
    else if (options.children == CHILDREN_NONE)
        life_give_up();
    if (options.off)
        begin_stopped(self);
}

void session_refused(char *const *environment, const char *why)
{
    options_read(environment, NULL);
    if (is_root())
        message("not recording: %s", why);
}

void session_ended(int status)
{
    if (life_state() != LIFE_ON || atomic_load(&world.generation) == 0)
        return;
    uint64_t now = sys_clock_ns(CLOCK_MONOTONIC);
    file_header->status = status & 0xff;
    file_header->ended_ns = now;
    __atomic_store_n(&file_header->state, TRACE_EXITED, __ATOMIC_RELEASE);
    struct thread *self = guard_take((uintptr_t)__builtin_frame_address(0), (uintptr_t)session_ended);
    if (!self)
        return;
    counters_settle(self);
    if (file_is_attached())
        timeline_end(self, now, !session_is_confined());
    if (!session_is_confined()) {
        tables_take();
        file_close();
        tables_drop();
    }
    guard_drop(self);
}

/* Files of modules are looked at while that is allowed. */
void session_confined(struct thread *self)
{
    (void)self;
    if (atomic_exchange(&session.confined, true))
        return;
    tables_take();
    modules_note_all();
    tables_drop();
}

bool session_is_confined(void)
{
    return atomic_load_explicit(&session.confined, memory_order_relaxed);
}

void session_limited(struct thread *self)
{
    if (self)
        tables_take();
    file_fit();
    if (self)
        tables_drop();
}

bool session_wants_child(void)
{
    return options.children != CHILDREN_NONE;
}

void session_child(struct thread *self)
{
    write_process(file_header);
    file_header->threads = 1;
    file_header->flags = (file_header->flags & (TRACE_NO_UNWINDER | TRACE_TABLES_FULL)) | TRACE_FORKED;
    session.root = false;
    atomic_store(&session.attaching, false);    /* a thread of the parent's may have been at it */
    atomic_store(&session.allocations, 0);
    atomic_store(&session.bytes, 0);
    self->countdown = 0;
    if (life_is_stopped())
        file_header->flags |= TRACE_STOPPED;
    file_header->peak_reset_ns = file_header->cleared_ns = 0;
    control_child();
    snapshots_child(self);
    if (options.children == CHILDREN_ALL)
        attach_while_running(self);
}

int session_snapshot(struct thread *self, const char *label)
{
    if (life_state() != LIFE_ON)
        return -EAGAIN;
    if (!file_is_attached() && session_is_confined())
        return -EPERM;
    if (!file_is_attached())
        attach_while_running(self);
    if (!file_is_attached())
        return life_state() == LIFE_ON ? -EBUSY : 0;
    return snapshots_take(self, label, TRACE_SNAPSHOT_ASKED, 0);
}

/* More than there can ever be is asked for to see how that fails, or by mistake. */
void session_failed(struct thread *self, size_t size)
{
    if (file_is_attached() && size < PTRDIFF_MAX)
        snapshots_failed(self, size);
}

/* --- looking around ------------------------------------------------------------------------------------ */

/* So many allocations until the next look, of a thread that made the present number of them in the time since. */
static uint32_t next_look(const struct thread *self, uint64_t now)
{
    uint64_t interval = timeline_interval(), wanted = snapshots_interval();
    wanted = (wanted < interval ? wanted : interval) / LOOKS;
    if (wanted > LOOK_NS)
        wanted = LOOK_NS;
    uint64_t passed = now > self->looked_ns ? now - self->looked_ns : 1;
    uint64_t every = self->look_every ? self->look_every : 1, next = every * wanted / passed;
    if (next > 2 * every)
        next = 2 * every;
    return next < 1 ? 1 : next > LOOK_EVERY ? LOOK_EVERY : (uint32_t)next;
}

static void look(struct thread *self, uint64_t now)
{
    if (timeline_look(self, now, !session_is_confined()))
        file_header->last_seen_ns = now;
    snapshots_look(self, now);
    if (unlikely(control_is_asked()))
        control_obey(self);
}

/* With large blocks each event comes here: the coarse clock is the cheaper one, but late by some milliseconds. */
void session_look(struct thread *self)
{
    if (unlikely(!file_is_attached()))
        return;
    uint64_t now = sys_clock_ns(CLOCK_MONOTONIC_COARSE), seen = file_header->last_seen_ns;
    look(self, now > seen ? now : seen);
}

void session_tick_slowly(struct thread *self, size_t size)
{
    if (likely(file_is_attached())) {
        uint64_t now = sys_clock_ns(CLOCK_MONOTONIC);
        file_header->last_seen_ns = now;
        file_header->recorder_bytes = arena_bytes();
        look(self, now);
        self->look_every = next_look(self, now);
        self->looked_ns = now;
        self->countdown = self->look_every;
        return;
    }
    self->countdown = 0;
    uint64_t allocations = atomic_fetch_add(&session.allocations, 1) + 1;
    uint64_t bytes = atomic_fetch_add(&session.bytes, size) + size;
    if (life_state() == LIFE_ON && (allocations >= WORTH_ALLOCATIONS || bytes >= WORTH_BYTES))
        attach_while_running(self);
}
