// SPDX-License-Identifier: MIT
/*
 * Built three ways by the test that needs it: a program; a library whose RUNPATH leads to a folder beside it
 * (LIBRARY), and loads a plug-in from there by its name alone; and the plug-in (PLUGIN).
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef PLUGIN

void *plugged(size_t size) { return malloc(size); }

#elif defined LIBRARY

void *load(const char *name, int mode) { return dlopen(name, mode); }

#else

typedef void *load_function(const char *name, int mode);

int main(int argc, char **argv)
{
    void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : NULL;
    load_function *load = library ? (load_function *)dlsym(library, "load") : NULL;
    if (!load)
        return 2;
    void *plugin = load("plugin.so", RTLD_NOW | RTLD_LOCAL);
    printf("%s\n", plugin ? "found by the library" : dlerror());
    printf("%s\n", dlopen("elsewhere.so", RTLD_NOW) ? "found by the program" : "not found by the program");
    printf("%s\n", plugin && !dlsym(RTLD_DEFAULT, "plugged") ? "local" : "global");
    return 0;
}
#endif
