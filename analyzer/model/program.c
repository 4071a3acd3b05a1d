// SPDX-License-Identifier: MIT
#define _GNU_SOURCE 1 /* strchrnul */
#include "model/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "model/file.h"

#define SCRIPT_LINE   256 /* so much of the first line the kernel looks at */
#define SCRIPT_LEVELS 4
#define DEFAULT_PATH  "/bin:/usr/bin" /* execvp's, where there is no PATH */

static bool is_program(const char *path)
{
    struct stat file;
    return stat(path, &file) == 0 && S_ISREG(file.st_mode) && access(path, X_OK) == 0;
}

static bool search(char path[PATH_MAX], const char *name)
{
    const char *directories = getenv("PATH");
    if (strchr(name, '/')) {
        snprintf(path, PATH_MAX, "%s", name);
        return is_program(path);
    }
    for (const char *at = directories ? directories : DEFAULT_PATH, *end; *name; at = end + 1) {
        end = strchrnul(at, ':');
        int size = snprintf(path, PATH_MAX, "%.*s%s%s", (int)(end - at), at, end > at ? "/" : "./", name);
        if (size < PATH_MAX && is_program(path))
            return true;
        if (!*end)
            break;
    }
    return false;
}

/* The interpreter that the first line of a script names; false if the file is no script. */
static bool interpreter(int fd, char path[PATH_MAX])
{
    char line[SCRIPT_LINE + 1] = "";
    if (pread(fd, line, SCRIPT_LINE, 0) < 3 || line[0] != '#' || line[1] != '!')
        return false;
    char *start = line + 2 + strspn(line + 2, " \t");
    start[strcspn(start, " \t\n")] = 0;
    snprintf(path, PATH_MAX, "%s", start);
    return *start;
}

/* The program's dynamic loader; empty if it has none. */
static void loader_of(int fd, const Elf64_Ehdr *header, char loader[PATH_MAX])
{
    loader[0] = 0;
    for (int i = 0; i < header->e_phnum; i++) {
        Elf64_Phdr segment;
        off_t offset = (off_t)(header->e_phoff + (uint64_t)i * sizeof(segment));
        if (pread(fd, &segment, sizeof(segment), offset) != sizeof(segment))
            return;
        if (segment.p_type != PT_INTERP)
            continue;
        size_t size = segment.p_filesz < PATH_MAX ? segment.p_filesz : PATH_MAX - 1;
        ssize_t got = pread(fd, loader, size, (off_t)segment.p_offset);
        loader[got > 0 ? got : 0] = 0;
        return;
    }
}

/* The kernel then marks the process as secure, and the loader preloads nothing for it. */
static bool gains_rights(int fd, const struct stat *stat)
{
    return ((stat->st_mode & S_ISUID) && stat->st_uid != getuid()) ||
           ((stat->st_mode & S_ISGID) && (stat->st_mode & S_IXGRP) && stat->st_gid != getgid()) ||
           (getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0);
}

static const char *machine_obstacle(const Elf64_Ehdr *header)
{
    if (header->e_ident[EI_CLASS] == ELFCLASS32)
        return "is a 32-bit program";
    if (header->e_ident[EI_DATA] != ELFDATA2LSB || header->e_machine != EM_X86_64)
        return "was built for another kind of machine";
    return NULL;
}

static const char *elf_obstacle(int fd, const char *path, const struct stat *stat)
{
    Elf64_Ehdr header;
    char loader[PATH_MAX];
    if (pread(fd, &header, sizeof(header), 0) != sizeof(header) ||
        memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return NULL; /* running it will tell, or sh takes it for a script */
    const char *obstacle = machine_obstacle(&header);
    if (obstacle)
        return obstacle;
    loader_of(fd, &header, loader);
    const char *slash = strrchr(path, '/');
    bool is_loader = strncmp(slash ? slash + 1 : path, "ld-linux", strlen("ld-linux")) == 0;
    if (!*loader && !is_loader)
        return "is statically linked";
    if (strstr(loader, "ld-musl"))
        return "uses musl instead of the GNU C library";
    if (gains_rights(fd, stat))
        return "runs with the rights of another user";
    return NULL;
}

bool program_find(struct program *program, const char *name)
{
    *program = (struct program){0};
    if (!search(program->path, name))
        return false;
    snprintf(program->image, sizeof(program->image), "%s", program->path);
    for (int level = 0; level <= SCRIPT_LEVELS; level++) {
        struct stat stat;
        int fd = file_open_regular(program->image, O_RDONLY, &stat);
        if (fd < 0)
            return true; /* may be executed, but not read: let it try */
        bool script = interpreter(fd, program->image);
        if (!script)
            program->obstacle = elf_obstacle(fd, program->image, &stat);
        close(fd);
        if (!script)
            break;
    }
    return true;
}
