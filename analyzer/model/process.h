// SPDX-License-Identifier: MIT
/* The process that a trace was recorded in: what became of it. */
#ifndef MODEL_PROCESS_H
#define MODEL_PROCESS_H

#include "model/trace.h"

enum process_end { PROCESS_RUNNING, PROCESS_EXITED, PROCESS_KILLED, PROCESS_ENDED };

struct process {
    enum process_end end;
    int status;           /* of PROCESS_EXITED; the signal of PROCESS_KILLED */
    uint64_t duration_ns; /* until its end, or until now */
};

/* As noted in the file; where nothing is noted, /proc tells whether it still runs and records there. */
struct process process_of(const struct trace *trace);

/* Whether the process that a header speaks of is there still; it may record elsewhere by now. */
bool process_is_there(const struct trace_header *header);

/* When the process started, as field 22 of /proc/PID/stat has it (also of a zombie); 0 if there is no
   such process.  *alive: it is no zombie.  alive may be null. */
uint64_t process_start_time(pid_t pid, bool *alive);

/* Bytes of memory that the process has in RAM; 0 if there is no such process. */
uint64_t process_resident(pid_t pid);

/* Whether this boot of the machine is the one with this id (16 bytes). */
bool process_same_boot(const uint8_t *boot_id);

#endif
