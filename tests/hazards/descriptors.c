// SPDX-License-Identifier: MIT
/*
 * descriptors FILE: closes all descriptors, as daemons do, gets the same numbers again for sockets, and
 * allocates while data go through these.  FILE gets the first number that was free, those of the sockets,
 * what came through wrongly, and the counts.
 */
#include "new_sites.h"
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PAIRS = 4, ROUNDS = 400, SIZE = 1000 };

static int sockets[PAIRS][2];
static long wrong;

/* Nothing describes this code, and its rbp leads nowhere. */
void *odd_frame(void *(*function)(size_t), size_t size);
__asm__(".pushsection .text\n.type odd_frame, @function\nodd_frame:\npushq %rbp\nmovq %rdi, %rax\n"
        "movq %rsi, %rdi\nmovq $0x1234567, %rbp\ncall *%rax\npopq %rbp\nret\n"
        ".size odd_frame, . - odd_frame\n.popsection");

static void send_and_receive(int pair, int round)
{
    char sent[SIZE], got[SIZE];
    memset(sent, round + pair, sizeof sent);
    if (write(sockets[pair][0], sent, SIZE) != SIZE)
        wrong++;
    counted_free(new_site_malloc(30), 30);
    counted_free(odd_frame(counted_malloc, 40), 40);
    if (read(sockets[pair][1], got, SIZE) != SIZE || memcmp(sent, got, SIZE))
        wrong++;
}

/* What nobody sent. */
static void look_for_more(void)
{
    char byte;
    for (int i = 0; i < PAIRS; i++)
        for (int end = 0; end < 2; end++)
            wrong += recv(sockets[i][end], &byte, 1, MSG_DONTWAIT) >= 0;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    counted_malloc(10);
    int first = open("/dev/null", O_RDONLY);
    close(first);
    closefrom(3);
    FILE *file = fopen(argv[1], "w");
    if (!file)
        return 1;
    fprintf(file, "%d, %d:", first, fileno(file));
    for (int i = 0; i < PAIRS; i++) {
        wrong += socketpair(AF_UNIX, SOCK_STREAM, 0, sockets[i]) != 0;
        fprintf(file, " %d %d", sockets[i][0], sockets[i][1]);
    }
    for (int i = 0; i < ROUNDS; i++)
        for (int pair = 0; pair < PAIRS; pair++)
            send_and_receive(pair, i);
    look_for_more();
    fprintf(file, ", %ld wrong\n%ld %ld %ld %ld\n", wrong, counted.allocations, counted.bytes,
            counted.blocks_left, counted.bytes_left);
    return fclose(file) != 0;
}
