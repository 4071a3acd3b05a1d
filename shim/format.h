// SPDX-License-Identifier: MIT
/*
 * The trace file.
 *
 * The file *is* the recorder's table: the recorder maps it shared and counts in it, so a file found
 * after SIGKILL, or read while the program runs, says everything up to that moment.  Recorder and
 * analyzer share this header and nothing else; it includes nothing but <stdint.h>.
 *
 *   offset 0            struct trace_header, header_size bytes (a reader honours the size it finds)
 *   header_size ...     sections, each a struct trace_section and its records, end to end, up to
 *                       header.used.  What lies beyond `used` is a hole.
 *
 * All numbers are in the byte order of the machine (`arch` names it); offsets count from the file's
 * start.  A reader skips sections of a type it does not know.  Several sections of one type make one
 * table: `first` is the number of a section's first record, and records are found by number.  Only
 * header counts (node_count, ...) tell which records are valid: those with smaller numbers; a count is
 * stored after the record.  Record sizes are multiples of 8, at most 4096 (of strings: 1).
 *
 * Order of stores, for readers of a running or killed program: a record is complete before the count
 * that covers it; a section is complete before `used` covers it; a counter's saved peak is complete
 * before its epoch.  Each counter is true by itself, the whole is not one instant.
 */
#ifndef TRACE_FORMAT_H
#define TRACE_FORMAT_H

#include <stdint.h>

#define TRACE_MAGIC "\211TMALLOC"       /* 8 bytes, no terminating zero in the file */
#define TRACE_VERSION 1                 /* what this recorder writes */
#define TRACE_READER_VERSION 1          /* the smallest version of a reader that understands it */
#define TRACE_ALIGN 64                  /* sections start on multiples of this */

enum trace_arch { TRACE_ARCH_X86_64 = 62 };     /* ELF e_machine */

/* How the process ended, as far as anyone noted. */
enum trace_state {
    TRACE_RUNNING = 0,          /* nobody noted an end: it runs still, or was killed, or used _exit */
    TRACE_EXITED = 1,           /* status is the exit status */
    TRACE_KILLED = 2,           /* status is the signal; only `tracemalloc run` can know */
};

enum trace_flags {
    TRACE_FORKED = 1,           /* a fork's child: allocated, frees, peak count from the fork */
    TRACE_DISK_FULL = 2,        /* the file could not grow further */
    TRACE_NO_UNWINDER = 4,      /* libunwind could not be loaded: stacks are one frame */
    TRACE_TABLES_FULL = 8,      /* a table reached its limit: blocks are counted on the stack [overflow] */
    TRACE_GAVE_UP = 16,         /* recording ended before the program: a handler had jumped out of the recorder */
    TRACE_STOPPED = 32,         /* no new blocks are recorded at present: the program or its user wanted it so */
};

struct trace_header {
    char magic[8];
    uint32_t version, reader_version;
    uint32_t header_size;       /* bytes up to the first section */
    uint32_t arch;              /* enum trace_arch */
    uint64_t used;              /* end of the last complete section */

    /* who */
    int32_t pid, ppid;
    uint64_t process_start;     /* /proc/PID/stat field 22: with boot_id, tells a reused pid */
    uint8_t boot_id[16];
    uint64_t started_realtime_ns;       /* CLOCK_REALTIME when recording began */
    uint64_t started_ns;        /* CLOCK_MONOTONIC of the same moment; every other *_ns too */
    uint64_t exe, cwd;          /* offsets of strings, 0 = unknown */
    uint64_t command;           /* offset of argv: command_size bytes, each argument ended by a zero */
    uint64_t command_size;

    /* how it ended */
    uint32_t state;             /* enum trace_state */
    int32_t status;
    uint64_t ended_ns;          /* 0 = not noted */
    uint64_t last_seen_ns;      /* a recent moment at which the program was seen allocating */

    /* how it was recorded */
    uint32_t flags;             /* enum trace_flags */
    uint32_t depth;             /* about so many frames are kept of a stack */
    uint64_t sample_bytes;      /* 1 = exact */

    /* how much there is of each table; modules, frames and sites begin at 1, nodes at TRACE_NODE_FIRST */
    uint32_t node_count, frame_count, site_count, module_count;
    uint32_t shard_count;
    uint32_t threads;           /* ever seen */
    uint32_t spill_count;
    uint32_t first_malloc;      /* string: the file whose malloc comes before the recorder's; 0 = none */

    /* totals that no site carries */
    uint64_t missed_events;     /* heap calls the recorder saw and could not count */
    int32_t run_pid;            /* the process that `tracemalloc run` started and this one descends from; 0 = none */
    uint32_t reserved_2;
    uint64_t recorder_bytes;    /* memory of the recorder besides this file */
    uint64_t peak_error_bytes;  /* how far the peak can be off; 0 with one thread */

    /* what was when */
    uint32_t point_count;
    uint32_t point_changes;     /* odd while points change their places; see struct trace_point */
    uint32_t snapshot_count;    /* places of snapshots, some of which may be free */

    /* what was changed on the way */
    uint32_t mark_count;
    uint64_t control;           /* offset of the one struct trace_control; 0 = nobody listens */
    uint64_t peak_reset_ns;     /* the peak is that since then; 0 = it was never reset */
    uint64_t cleared_ns;        /* all figures count from here; 0 = all was never forgotten */

    /* the line that every event reads; written when a new peak is noted */
    uint64_t epoch __attribute__((aligned(64)));        /* advances with each note */
    uint64_t peak_bytes;        /* of all sites, as last noted; if more is live now, the peak is now */
} __attribute__((aligned(64)));

enum trace_section_type {
    TRACE_VOID = 0,             /* nothing */
    TRACE_STRINGS = 1,          /* bytes; a string is named by its offset in the file, ends with a zero */
    TRACE_MODULES = 2,
    TRACE_FRAMES = 3,
    TRACE_NODES = 4,
    TRACE_SITES = 5,
    TRACE_COUNTERS = 6,         /* of one shard */
    TRACE_INHERITED = 7,        /* what a fork's child had live at the fork */
    TRACE_SPILLS = 8,
    TRACE_TIMELINE = 9,
    TRACE_SNAPSHOTS = 10,
    TRACE_SNAPSHOT_SITES = 11,  /* figures of the sites in the snapshot of one place */
    TRACE_CONTROL = 12,
    TRACE_MARKS = 13,
};

struct trace_section {
    uint32_t type;              /* enum trace_section_type */
    uint32_t record_size;       /* bytes; a reader honours the size it finds */
    uint64_t size;              /* of the whole section, this header included; multiple of TRACE_ALIGN */
    uint64_t first;             /* number of the first record */
    uint32_t capacity;          /* records there is room for */
    uint32_t shard;             /* TRACE_COUNTERS; of TRACE_SNAPSHOT_SITES the snapshot's place */
    uint64_t reserved[4];
};

/* An ELF file that was mapped, and where.  The same file loaded again at another place is the same
   module when its path and build-id are the same; start and end are of the latest time. */
struct trace_module {
    uint64_t path;              /* string */
    uint64_t bias;              /* address in memory - address in the ELF file */
    uint64_t start, end;        /* in memory */
    uint64_t came_ns, gone_ns;  /* gone_ns 0: still there */
    uint64_t file_size, file_mtime_ns;  /* when first seen; 0 = unknown */
    uint8_t build_id[32];
    uint32_t build_id_size;     /* 0 = has none */
    uint32_t reserved[7];
};

/* A place in the code.  `offset` is the address in the ELF file of the *call*: return address - 1,
   or the very address where a signal interrupted (TRACE_FRAME_EXACT).
   module 0: code outside any module, offset is the start of its mapping (0 = unknown). */
enum trace_frame_flags { TRACE_FRAME_EXACT = 1 };
struct trace_frame {
    uint32_t module;
    uint32_t flags;
    uint64_t offset;
};

/* A call path: frame `frame`, called from the path `parent`. */
enum trace_root {
    TRACE_NODE_NONE = 0,
    TRACE_NODE_ROOT = 1,        /* outside the outermost frame of a whole stack */
    TRACE_NODE_TRUNCATED = 2,   /* the same where the stack goes on, but is not known further */
    TRACE_NODE_OVERFLOW = 3,    /* stands for all stacks that found no room in the tables */
    TRACE_NODE_FIRST = 4,       /* the first real one; a parent always has a smaller number */
};
struct trace_node {
    uint32_t parent;
    uint32_t frame;             /* 0 in the roots */
    uint32_t site;              /* the site of this path, 0 if it never allocated */
    uint32_t hash;              /* of the path: the recorder's own affair */
};

struct trace_site {
    uint32_t node;
    uint32_t reserved;
};

/*
 * What one shard (about: one thread) did at one site; a site's figures are the sums over the shards.
 *   current = allocated - freed, allocations - frees (of one shard it may be negative: sum first)
 *   at the peak = (epoch == header.epoch) ? peak_* : current; current everywhere if the peak is now
 * A shard's freed_bytes may run ahead of its allocated_bytes: blocks are freed by other threads.
 */
struct trace_counter {
    uint64_t allocations, allocated_bytes;
    uint64_t frees, freed_bytes;
    uint64_t epoch;
    int64_t peak_blocks, peak_bytes;
    uint32_t reallocations;     /* modulo 2^32: each wrap is a struct trace_spill */
    uint32_t temporary;         /* the same */
} __attribute__((aligned(64)));

/* Live at the fork: added to current and to the peak. */
struct trace_inherited {
    uint64_t blocks, bytes;
};

/* A 32-bit counter of a site passed 2^32. */
enum trace_spill_kind { TRACE_SPILL_REALLOCATIONS = 1, TRACE_SPILL_TEMPORARY = 2 };
struct trace_spill {
    uint32_t site;
    uint32_t kind;
};

/*
 * A moment of the timeline: what was live.  The first record is that of the peak, if it is noted.  When the others are
 * too many every other is left out, and those that stay move up.  A reader puts them in the order of time; of two of
 * one moment it leaves out one, for it is there twice.  One whose ns is 0 is not there.
 */
struct trace_point {
    uint64_t ns;                /* stored last */
    uint64_t current_bytes, blocks;
    uint64_t resident_bytes;    /* of the process, as last asked for, which is rarely; 0 = unknown */
};

/* A moment that the program gave a name. */
struct trace_mark {
    uint64_t ns;
    uint64_t current_bytes, blocks;
    char label[64];             /* ended by a zero */
};

enum trace_snapshot_reason {
    TRACE_SNAPSHOT_ASKED = 1,   /* by the program */
    TRACE_SNAPSHOT_INTERVAL = 2,        /* so much time had passed */
    TRACE_SNAPSHOT_GROWTH = 3,  /* current had grown by a factor */
    TRACE_SNAPSHOT_SIZE = 4,    /* current had passed a size */
    TRACE_SNAPSHOT_FAILED = 5,  /* an allocation was about to fail */
};

enum trace_snapshot_flags {
    TRACE_SNAPSHOT_BLURRED = 1, /* threads went on meanwhile: it is not one instant */
};

/* What every site had done at one moment.  Its place may be used again for a later one. */
struct trace_snapshot {
    uint64_t number;            /* 1, 2, ... as they were taken; stored last; 0: this place is free */
    uint64_t ns;
    uint32_t reason;            /* enum trace_snapshot_reason */
    uint32_t flags;             /* enum trace_snapshot_flags */
    uint32_t site_count;        /* sites with numbers below had figures; the others were yet to come */
    uint32_t spill_count;       /* spills with numbers below belong to it */
    uint64_t current_bytes, blocks;
    uint64_t asked_bytes;       /* TRACE_SNAPSHOT_FAILED: so many bytes were not to be had */
    char label[64];             /* ended by a zero; empty: it has none */
};

/* A site in a snapshot: the sums of its counters, over the shards. */
struct trace_snapshot_site {
    uint64_t allocations, allocated_bytes;
    uint64_t frees, freed_bytes;
    int64_t peak_blocks, peak_bytes;    /* at the peak until then; if more was live then, that was the peak */
    uint64_t reallocations, temporary;
};

enum trace_command {
    TRACE_COMMAND_START = 1,    /* record new blocks */
    TRACE_COMMAND_STOP = 2,     /* do not */
    TRACE_COMMAND_SNAPSHOT = 3, /* label: the snapshot's */
    TRACE_COMMAND_RESET_PEAK = 4,
    TRACE_COMMAND_CLEAR = 5,
    TRACE_COMMAND_DEPTH = 6,    /* argument: so many frames */
};

/*
 * What the recorder is asked for from outside: the only words of the file that others write while the program runs.
 * Who asks holds a lock on the file (flock): stores 0 as the command, the argument and the label, `request`, one more
 * than it was, and last the command.  The recorder obeys at its next look, and stores `done` last.
 */
struct trace_control {
    uint32_t request;           /* number of the latest request; 0 = there was none */
    uint32_t command;           /* enum trace_command; 0 = none yet */
    uint64_t argument;
    char label[64];             /* ended by a zero, else cut */
    uint32_t done;              /* the request that was obeyed, or refused, last */
    int32_t result;             /* of that: 0, or -errno */
    uint64_t reserved[5];
};

_Static_assert(sizeof(struct trace_section) == 64, "sections keep records aligned");
_Static_assert(sizeof(struct trace_module) == 128, "fixed by the format");
_Static_assert(sizeof(struct trace_frame) == 16, "fixed by the format");
_Static_assert(sizeof(struct trace_node) == 16, "fixed by the format");
_Static_assert(sizeof(struct trace_counter) == 64, "one cache line");
_Static_assert(sizeof(struct trace_header) == 320, "the first version's: new fields take what was left free");
_Static_assert(sizeof(struct trace_mark) == 88, "fixed by the format");
_Static_assert(sizeof(struct trace_control) == 128, "fixed by the format");
_Static_assert(sizeof(struct trace_point) == 32, "fixed by the format");
_Static_assert(sizeof(struct trace_snapshot) == 120, "fixed by the format");
_Static_assert(sizeof(struct trace_snapshot_site) == 64, "fixed by the format");

#endif
