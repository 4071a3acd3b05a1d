// SPDX-License-Identifier: MIT
/*
 * Its destructor runs when nearly everything has ended, and calls the program back.
 */
static void (*callback)(void);

void call_at_the_end(void (*function)(void));

void call_at_the_end(void (*function)(void))
{
    callback = function;
}

__attribute__((destructor)) static void end(void)
{
    if (callback)
        callback();
}
